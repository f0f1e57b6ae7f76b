"""What an older version left of its models: items and objects."""

import json
from typing import Any

from harness import PROJECT

# Written by the last version that had no manifests: names of columns in the file; names and initial
# centers too long for the item; numbers far from zero.
LEFT: dict[str, Any] = json.loads(
    (PROJECT / "tests/files/models_before_manifests.json").read_text()
)
