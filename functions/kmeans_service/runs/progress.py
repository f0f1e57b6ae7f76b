"""How far a run is, as it says itself while it goes on."""

import json
from typing import Any

from kmeans_service.storage import ObjectMissing, data_bucket

# What a run may say: words, and whole numbers.
WORDS, NUMBERS = ("stage", "started_at"), ("percent", "iteration", "max_iter", "rows", "cents")
MOST_BYTES = 10_000


def progress_of(prefix: str) -> dict[str, Any] | None:
    """Of the run that works below this prefix.

    None where it has not begun to, or what it says cannot be read.
    """
    try:
        opened = data_bucket().open(f"{prefix}progress.json", None)
    except ObjectMissing:
        return None
    try:
        found = json.loads(opened.stream.read(MOST_BYTES))
        words = {name: found[name] for name in WORDS if isinstance(found.get(name), str)}
        numbers = {name: found[name] for name in NUMBERS if type(found.get(name)) is int}
    except (ValueError, AttributeError):
        return None
    return words | numbers if "stage" in words else None
