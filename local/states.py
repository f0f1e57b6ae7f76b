"""The emulator's files of what each of its services holds: written where something changed.

MiniStack writes all of them at each save, 70 files, in the many small pieces of json.dump: 80 ms
of its time after every second in which anything was written, 15 this way.
"""

import json
import os
from pathlib import Path
from typing import Any

from ministack.core import persistence  # type: ignore[import-untyped]


def write_changes_only(folder: Path) -> None:
    """MiniStack's saves, whose files are in this folder, from here on."""
    written: dict[str, str] = {}

    def save(service: str, state: Any) -> None:
        try:
            text = text_of(service, state)
            if written.get(service) != text:
                replace(folder / f"{service}.json", text)
                written[service] = text
        except (OSError, TypeError, ValueError) as error:
            persistence.logger.error("Persistence: failed to save %s: %s", service, error)

    persistence.save_state = save


def text_of(service: str, state: Any) -> str:
    """As MiniStack reads it."""
    version = persistence._state_format_version(service)
    wrapped = {"__ministack_format__": version, "payload": state}
    return json.dumps(wrapped, default=persistence._json_default)


def replace(file: Path, text: str) -> None:
    """Whole or not at all."""
    unfinished = file.with_suffix(".json.tmp")
    try:
        unfinished.write_text(text)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
