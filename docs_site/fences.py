"""A hook of MkDocs: what tests are told in a fence is not for readers."""

import re
from typing import Any


def on_page_markdown(markdown: str, **_given: Any) -> str:
    """```bash no-test aws is ```bash to the site."""
    return re.sub(r"^```(bash|python) (no-test.*|closed)$", r"```\1", markdown, flags=re.M)
