"""The example on the page, and the customers of the tutorial."""

import json
import shutil
import subprocess

from harness import PROJECT
from harness.needed import missing


def test_the_pages_example_is_the_file_of_the_documentation() -> None:
    node = shutil.which("node")
    if node is None:
        missing("no node is installed")
    module = (PROJECT / "functions/docs/page/example.js").read_text()
    program = (
        f'const module = "data:text/javascript," + encodeURIComponent({json.dumps(module)});'
        "process.stdout.write((await import(module)).customers());"
    )
    made = subprocess.run(
        [node, "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    assert made.stdout == (PROJECT / "docs/customers.csv").read_text()
