"""The disk that all data of the local service goes to."""

import shutil
from contextlib import suppress
from pathlib import Path

from local.settings import Settings, StartRefused

START_BYTES = 8_000_000  # for the functions' code and the deployment
# Bytes that new files and fits leave free, so that what is there can be read and deleted.
RESERVE = 16_000_000


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def size_of(folder: Path) -> int:
    """Bytes of all files below; those that vanish meanwhile do not count."""
    total = 0
    for parent, _, names in folder.walk():
        for name in names:
            with suppress(FileNotFoundError):
                total += (parent / name).lstat().st_size
    return total


def expect_room(settings: Settings) -> None:
    """Raises StartRefused on a disk that is full."""
    if (free := free_bytes(settings.home)) < START_BYTES:
        raise StartRefused(
            f"The disk with {settings.home} has {free / 1_000_000:.1f} MB left, and the service "
            f"needs {START_BYTES / 1_000_000:.0f} to start; make room there, or choose another "
            "folder with LOCAL_HOME=…"
        )
