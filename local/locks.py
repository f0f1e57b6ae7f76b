"""One holder at a time: a lock that the system drops when its holder dies, however it dies."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import IO


class HeldError(Exception):
    """Somebody else holds the lock; `pid` is theirs."""

    def __init__(self, pid: int) -> None:
        super().__init__(f"held by process {pid}")
        self.pid = pid


def hold(path: Path) -> IO[str]:
    """The lock, until the file returned is closed or the process ends; raises HeldError."""
    file = path.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        pid = int(file.read() or 0)
        file.close()
        raise HeldError(pid) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def is_held(path: Path) -> bool:
    if not path.exists():
        return False
    with suppress(HeldError):
        hold(path).close()
        return False
    return True


def last_holder(path: Path) -> int:
    """Process id of who holds the lock, or held it last; 0 if nobody ever did."""
    return int(path.read_text() or 0) if path.exists() else 0
