"""Commands in a page, and the answers that it shows."""

import re
from dataclasses import dataclass

BLOCK = re.compile(
    r"^```bash\n(?P<code>.*?)^```\n(```(json)?\n(?P<answer>.*?)^```\n)?", re.M | re.S
)


@dataclass(frozen=True)
class Example:
    """Commands, and the answer that is shown; empty if none is."""

    code: str
    answer: str

    @property
    def name(self) -> str:
        return self.code.splitlines()[0][:60]
