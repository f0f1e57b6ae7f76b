"""What the service saves beside the objects: is it whole, a copy of it, and the way back to that.

A damaged file is never written over: the service does not start on it. `make recover` takes it
aside and puts the copy of the last start or stop in its place.
"""

import errno
import json
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local import disk
from local.settings import Settings, StartRefused
from local.welcome import make_command


@dataclass(frozen=True)
class Damage:
    """A file of the state that cannot be used, and why."""

    file: Path
    reason: str


def check(settings: Settings) -> None:
    """Raises StartRefused if a file of the state cannot be read."""
    if found := damages(settings):
        raise StartRefused(
            f"The saved state is damaged, and is left as it is: {_named(found)}. "
            f"{_way_on(settings)}"
        )


def damages(settings: Settings) -> list[Damage]:
    """Every file of the state that is none, or that only the copy has."""
    found = [
        Damage(file, reason)
        for file in sorted(settings.state.glob("*.json"))
        if (reason := _damage_of_json(file))
    ]
    if settings.items.exists() and (reason := _damage_of_items(settings.items)):
        found.append(Damage(settings.items, reason))
    missing = _names_in(settings.state_copy) - _names_in(settings.state)
    return found + [Damage(settings.state / name, "missing") for name in sorted(missing)]


def _names_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()} if folder.is_dir() else set()


def _damage_of_json(file: Path) -> str:
    try:
        saved = json.loads(file.read_bytes())
    except ValueError as error:
        return f"no JSON: {error}" if file.stat().st_size else "empty"
    return "" if isinstance(saved, dict) and "payload" in saved else "not the emulator's"


def _damage_of_items(file: Path) -> str:
    if not file.stat().st_size:  # SQLite takes it for a new one
        return "empty"
    try:
        with closing(sqlite3.connect(file)) as db:
            [(verdict,), *_] = db.execute("PRAGMA quick_check(1)")
            db.execute("SELECT count(*) FROM items")
    except sqlite3.Error as error:
        return str(error)
    return "" if verdict == "ok" else str(verdict)


# --- the copy -----------------------------------------------------------------------


def keep_copy(settings: Settings) -> None:
    """Copies a state that is whole and at rest; raises OSError and keeps the old copy."""
    if not settings.state.is_dir():
        return
    if disk.size_of(settings.state) + disk.START_BYTES > disk.free_bytes(settings.home):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    new = settings.state_copy.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        shutil.copytree(settings.state, new, ignore=shutil.ignore_patterns("*.tmp"))
    except OSError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    os.utime(new)
    shutil.rmtree(settings.state_copy, ignore_errors=True)
    new.rename(settings.state_copy)


def _when(settings: Settings) -> str:
    made = datetime.fromtimestamp(settings.state_copy.stat().st_mtime, UTC)
    return made.strftime("%Y-%m-%d %H:%M UTC")


def _named(found: list[Damage]) -> str:
    named = [f"{damage.file} ({damage.reason})" for damage in found[:3]]
    more = [f"and {len(found) - 3} more"] if len(found) > 3 else []
    return ", ".join(named + more)


def _way_on(settings: Settings) -> str:
    anew = f"move {settings.home} away to begin with nothing."
    if not settings.state_copy.is_dir():
        return f"There is no copy of it: {anew}"
    return (
        f"`{make_command(settings)} recover` keeps the damaged files aside and puts those of "
        f"{_when(settings)} in their place; or {anew}"
    )


def recover(settings: Settings) -> list[str]:
    """Puts the copy's files in the place of damaged ones, which are kept: the lines to say.

    Raises StartRefused if the copy does not have one of them.
    """
    found = damages(settings)
    copied = _names_in(settings.state_copy)
    if lacking := [damage.file.name for damage in found if damage.file.name not in copied]:
        raise StartRefused(
            f"There is no copy of {', '.join(lacking)}: move {settings.home} away to begin with "
            "nothing."
        )
    if not found:
        return ["The saved state is whole; nothing was changed."]
    aside = settings.home / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    for damage in found:
        _exchange(damage.file, settings.state_copy / damage.file.name, aside)
    names = ", ".join(damage.file.name for damage in found)
    return [
        f"{names}: now as of {_when(settings)}; what was there is kept in {aside}.",
        f"`{make_command(settings)} run` goes on from there.",
    ]


def _exchange(file: Path, copy: Path, aside: Path) -> None:
    aside.mkdir(exist_ok=True)
    for part in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))):
        with suppress(FileNotFoundError):
            part.rename(aside / part.name)
    (shutil.copytree if copy.is_dir() else shutil.copy2)(copy, file)
