"""The functions' code in the service's folder, where every process of every function imports it.

The emulator unpacks a function's package for each process that it starts. Its threads hand one
lock to each other at each file, and so several that start at once took seconds for it.
"""

import compileall
import hashlib
import shutil
from pathlib import Path
from py_compile import PycInvalidationMode

from local.settings import PROJECT

CACHE = "__pycache__"


class CodeError(Exception):
    """It does not compile; the message says what."""


def laid_out(folder: Path, source: Path = PROJECT / "functions") -> Path:
    """A copy of the sources and their bytecode below the folder, which holds no other one then.

    It is named by what it holds: an edit is another copy, at the next start.
    """
    copy = folder / _digest(source)
    if not copy.exists():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, unfinished := folder / "unfinished", ignore=_is_cache)
        _compile(unfinished)
        unfinished.rename(copy)
    return copy


def _digest(source: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")):
        if path.is_file() and CACHE not in path.parts:
            body = path.read_bytes()
            digest.update(f"{path.relative_to(source).as_posix()}\0{len(body)}\0".encode() + body)
    return digest.hexdigest()


def _is_cache(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name == CACHE]


def _compile(folder: Path) -> None:
    """Unchecked: nobody changes the copy."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=1, invalidation_mode=mode):
        raise CodeError("functions/ does not compile; what Python says of it stands above.")
