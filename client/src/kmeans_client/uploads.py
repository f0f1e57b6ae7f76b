"""A file on its way: in the request, in one piece to the bucket, or in parts that can go on."""

import hashlib
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import httpx
import platformdirs

from kmeans_client.problems import ConnectionLost, KMeansError, Problem
from kmeans_client.tables import BYTES, Table
from kmeans_client.transport import Transport, pauses

# What a request carries; a larger file goes to the bucket, and from here on in parts.
INLINE_BYTES = 4_500_000
PARTS_BYTES = 32 * 1024**2
CHUNK_BYTES = 1024**2
# Times in a row that a part may break before we give up for now.
BREAKS = 6

Progress = Callable[[int, int], None]
"""Is told the bytes that have gone, and all there are."""


class UploadCalls(Protocol):
    """What is asked of the service about an upload in parts."""

    def get_upload(self, job_id: int) -> Any: ...
    def complete_upload(self, job_id: int) -> Any: ...


def silent(_done: int, _total: int) -> None:
    """Tells nobody."""


class Told:
    """A file that tells how far it has been read."""

    def __init__(self, file: BinaryIO, size: int, progress: Progress, before: int = 0) -> None:
        self._file, self._size, self._progress, self._before = file, size, progress, before
        self._start = file.tell()

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(size)
        self._progress(self._before + self._file.tell() - self._start, self._size)
        return found

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        place = place + self._start if whence == io.SEEK_SET else place
        return self._file.seek(place, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start


def send_form(
    transport: Transport, form: dict[str, Any], table: Table, progress: Progress = silent
) -> None:
    """The file to a presigned POST, in one piece; tried again from its beginning."""
    for attempt, pause in enumerate(pauses(0.2, 5), 1):
        try:
            with table.open() as file:
                sent = {"file": (table.filename, Told(file, table.size, progress), BYTES)}
                answer = transport.send_to_bucket(
                    "POST", form["url"], data=form["fields"], files=sent
                )
            _taken(answer)
            return
        except ConnectionLost:
            if attempt == BREAKS:
                raise
            time.sleep(pause)


def send_parts(
    calls: UploadCalls,
    transport: Transport,
    table: Table,
    job_id: int,
    progress: Progress = silent,
) -> None:
    """All parts that have not come yet, then the file is made of them."""
    broken = 0
    for pause in pauses(0.2, 5):
        view = calls.get_upload(job_id)
        missing = [part for part in view["parts"] if "url" in part]
        progress(view["received"], table.size)
        if not view["parts"]:  # an earlier run has completed it
            return
        if not missing:
            break
        try:
            for part, start in _placed(view["parts"]):
                if "url" in part:
                    _send_part(transport, table, part, start, progress)
                    broken = 0
        except (ConnectionLost, Problem):  # or its URL has run out: the next look has fresh ones
            broken += 1
            if broken == BREAKS:
                raise
            time.sleep(pause)
    calls.complete_upload(job_id)


def _placed(parts: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], int]]:
    """Each part, and where it begins."""
    start = 0
    for part in parts:
        yield part, start
        start += part["size"]


def _send_part(
    transport: Transport, table: Table, part: dict[str, Any], start: int, progress: Progress
) -> None:
    def chunks() -> Iterator[bytes]:
        left = part["size"]
        with table.open() as file:
            file.seek(file.tell() + start)
            while left and (chunk := file.read(min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk
                progress(start + part["size"] - left, table.size)

    length = {"Content-Length": str(part["size"])}
    _taken(transport.send_to_bucket("PUT", part["url"], content=chunks(), headers=length))


def _taken(answer: httpx.Response) -> None:
    """S3 refuses in XML, which has one sentence for people."""
    if answer.status_code < 300:
        return
    _, _, rest = answer.text.partition("<Message>")
    said = rest.partition("</Message>")[0] or answer.text[:200]
    raise Problem(answer.status_code, {"title": "The bucket refused the file", "detail": said})


class Unfinished:
    """Uploads that broke, remembered between runs: which job a file was on its way to.

    A file is known again by its path, size and time, and by how it is to be read.
    """

    def __init__(self, url: str, folder: Path | None = None) -> None:
        self._folder = folder or platformdirs.user_state_path("kmeans") / "uploads"
        self._url = url

    def job_of(self, table: Table, wanted: dict[str, Any]) -> int | None:
        with suppress(OSError, ValueError, TypeError):
            return int(json.loads(self._note(table, wanted).read_text())["job_id"])
        return None

    def begin(self, table: Table, wanted: dict[str, Any], job_id: int) -> None:
        with suppress(OSError, TypeError):  # then it cannot go on after a crash, and that is all
            note = self._note(table, wanted)
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps({"job_id": job_id, "filename": table.filename}))

    def end(self, table: Table, wanted: dict[str, Any]) -> None:
        with suppress(OSError, TypeError):
            self._note(table, wanted).unlink()

    def _note(self, table: Table, wanted: dict[str, Any]) -> Path:
        """Raises TypeError for what has no path."""
        if not isinstance(table.content, Path):
            raise TypeError("only a file can be found again")
        of_file = table.content.stat()
        known = [
            self._url,
            str(table.content.resolve()),
            of_file.st_size,
            of_file.st_mtime_ns,
            wanted,
        ]
        digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
        return self._folder / f"{digest[:32]}.json"


def still_open(calls: UploadCalls, job_id: int | None) -> bool:
    """Whether an upload that broke can go on."""
    if job_id is None:
        return False
    try:
        calls.get_upload(job_id)
    except KMeansError:
        return False
    return True
