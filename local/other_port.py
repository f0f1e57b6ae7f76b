"""What is deployed on the emulator follows it to another port.

MiniStack knows a queue by its URL, which holds the port, and a function's published version keeps
the endpoint that it was made with. On another port nobody would be there to answer, and what is in
a queue would never be worked on.
"""

import re
from pathlib import Path

from local import states
from local.settings import LOOPBACK


def move(state: Path, port: int) -> None:
    """Give the URLs of the saved state this port; each file is changed whole or not at all."""
    queues = state / "sqs.json"
    saved = queues.read_text() if queues.exists() else ""
    found = re.search(rf"http://{re.escape(LOOPBACK)}:([0-9]+)/", saved)
    if found is None or int(found[1]) == port:
        return
    before = re.compile(rf"http://{re.escape(LOOPBACK)}:{found[1]}(?![0-9])")
    # The queues' own file last: until then the next start does it again.
    for file in (state / "lambda.json", state / "cloudformation.json", queues):
        states.replace(file, before.sub(f"http://{LOOPBACK}:{port}", file.read_text()))
