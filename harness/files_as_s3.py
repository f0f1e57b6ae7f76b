"""As much of S3 as a run takes, over files in a folder: for sizes that an emulator holds in memory.

Objects are read by ranges, put, and written in parts.
"""

import hashlib
import shutil
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Its address; an object is the file of its bucket and key below the folder."""
    handler = type("OfFolder", (_Handler,), {"folder": folder})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever reads the beginning of a file closes the connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder: Path

    def do_GET(self) -> None:
        path = self._path()
        if not path.is_file():
            self._answer(404, _xml("Error", Code="NoSuchKey"))
            return
        size = path.stat().st_size
        begin, end = 0, size
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            begin, end = int(first), min(size, int(last) + 1)
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(end - begin))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(begin)
            left = end - begin
            while left and (piece := file.read(min(left, 1024**2))):
                self.wfile.write(piece)
                left -= len(piece)

    def do_PUT(self) -> None:
        path, query = self._path(), self._query()
        if "partNumber" in query:
            path = self._parts(query["uploadId"]) / f"{int(query['partNumber']):05d}"
        elif self.headers.get("If-None-Match") and path.exists():
            self._body()
            self._answer(412, _xml("Error", Code="PreconditionFailed"))
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        body = self._body()
        path.write_bytes(body)
        self._answer(200, b"", ETag=f'"{hashlib.sha256(body).hexdigest()[:32]}"')

    def do_POST(self) -> None:
        query = self._query()
        self._body()
        if "uploads" in query:
            upload = uuid.uuid4().hex
            self._parts(upload).mkdir(parents=True)
            self._answer(200, _xml("InitiateMultipartUploadResult", UploadId=upload))
            return
        with self._path().open("wb") as whole:
            for part in sorted(self._parts(query["uploadId"]).iterdir()):
                with part.open("rb") as file:
                    shutil.copyfileobj(file, whole)
        shutil.rmtree(self._parts(query["uploadId"]))
        self._answer(200, _xml("CompleteMultipartUploadResult", ETag="whole"))

    def do_DELETE(self) -> None:
        """Of parts alone."""
        shutil.rmtree(self._parts(self._query()["uploadId"]))
        self._answer(204, b"")

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _path(self) -> Path:
        return self.folder / unquote(urlsplit(self.path).path).lstrip("/")

    def _parts(self, upload: str) -> Path:
        return self.folder / ".parts" / upload

    def _query(self) -> dict[str, str]:
        found = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    def _body(self) -> bytes:
        """Also as botocore sends what it signs as it goes: in chunks, a checksum behind them."""
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            return _of_chunks(b"".join(self._chunks()))
        return _of_chunks(self.rfile.read(int(self.headers["Content-Length"])))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _of_chunks(text: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        end = text.index(b"\r\n", at)
        size = int(text[at:end].split(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(text[end + 2 : end + 2 + size])
        at = end + 4 + size


def _xml(name: str, **members: str) -> bytes:
    root = ElementTree.Element(name)
    for member, value in members.items():
        ElementTree.SubElement(root, member).text = value
    return ElementTree.tostring(root)
