"""Where in which file a refusal is about, where there are several."""

from bisect import bisect_left
from collections.abc import Sequence

from kmeans_service.errors import ServiceError


def in_its_file[E: ServiceError](error: E, names: Sequence[str], file: int) -> E:
    """Named with the file."""
    if len(names) == 1 or "file" in error.members:
        return error
    named = f"{names[file]}: {error.detail}"
    return type(error)(named, **error.members | {"file": names[file]})


def at_its_line[E: ServiceError](error: E, names: Sequence[str], starts: Sequence[int]) -> E:
    """Named with the file and the line there, where its line is one of all files together.

    starts   of each file, how many lines the files before it have
    """
    line = error.members.get("line")
    if len(names) == 1 or "file" in error.members or not isinstance(line, int):
        return error
    file = bisect_left(starts, line) - 1
    there, name = line - starts[file], names[file]
    named = error.detail.replace(f"line {line}", f"line {there} of {name}", 1)
    return type(error)(named, **error.members | {"line": there, "file": name})
