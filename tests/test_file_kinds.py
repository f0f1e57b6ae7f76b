"""Files that are no CSV are called by their names, whichever way they come."""

import bz2
import gzip
import io
import lzma
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.api import MODEL_CSV, PREDICT_CSV, Client
from harness.presigned import post, reserve
from harness.system import deliver, drop
from kmeans_service.errors import UnsupportedMediaType
from kmeans_service.tables.csv_grammar import check
from kmeans_service.tables.formats import described
from kmeans_service.tables.table import read_table

BOOK = (Path(__file__).parent / "files" / "book.xlsx").read_bytes()


def zipped(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def saved(X: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, X)
    return buffer.getvalue()


ODS = ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
KINDS: dict[str, tuple[bytes, str]] = {
    "xls": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504), "an old Excel workbook"),
    "ods": (zipped(ODS), "an OpenDocument"),
    "docx": (zipped(("[Content_Types].xml", b""), ("word/document.xml", b"")), "a document"),
    "zip": (zipped(("a.csv", MODEL_CSV)), "a ZIP archive"),
    "bzip2": (bz2.compress(MODEL_CSV), "a bzip2 file"),
    "xz": (lzma.compress(MODEL_CSV), "an xz file"),
    "zstd": (bytes.fromhex("28b52ffd2421") + MODEL_CSV, "a Zstandard file"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document"),
    "feather": (b"ARROW1\0\0\xff\xff", "an Arrow"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    "npy": (saved(np.eye(3)), "a NumPy array"),
    "pickle": (pickle.dumps([1, 2]), "a Python pickle"),
    "sqlite": (b"SQLite format 3\0\x10\0", "an SQLite database"),
    "png": (PNG, "a PNG image"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG image"),
    "html": (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page"),
    "html without a doctype": (b'\n <HTML lang="en">\n', "an HTML page"),
    "xml": (b'<?xml version="1.0"?>\n<rows/>', "an XML document"),
    "json": (b'{"points":\n [[1, 2], [3, 4]]}', "a JSON document"),
    "json records": (b'[\n  {"x": 1, "y": 2}\n]', "a JSON document"),
    "json rows": (b"[[1, 2], [3, 4]]", "a JSON document"),
    "bytes": (bytes(range(256)), "a binary file"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_of_another_kind_is_called_by_its_name_with_what_to_do(name: str) -> None:
    content, words = KINDS[name]
    with pytest.raises(UnsupportedMediaType) as refused:
        read_table(lambda: io.BytesIO(content))
    assert re.match(f"the file is {words}.*, and no table: (s|unpack it)", refused.value.detail)


@given(
    st.lists(st.sampled_from(["PK", "BZh9", "PAR1", "GIF8", "%PDF", "[a]", "{x", "<a>", "RIFF"]))
)
def test_names_of_columns_that_look_a_little_like_it_are_names(names: list[str]) -> None:
    header = ",".join(dict.fromkeys(names)) or "x"
    row = ",".join("1" for _ in header.split(","))
    assert check(f"{header}\n{row}\n".encode()).n_samples == 1


@given(st.lists(st.lists(st.floats(-1e99, 1e99), min_size=2, max_size=2), min_size=1))
def test_numbers_are_never_taken_for_something_else(rows: list[list[float]]) -> None:
    assert described("\n".join(",".join(map(repr, row)) for row in rows).encode()) is None


def test_a_workbook_that_is_sent_as_points_is_named(client: Client) -> None:
    client.upload()
    client.fit(0)
    refused = client.predict(BOOK)
    assert (refused.status, "an Excel workbook" in refused.json()["detail"]) == (415, True)
    assert client.predict(PREDICT_CSV).status == 200


def test_what_is_no_table_is_named_where_it_is_dropped_or_comes_by_a_presigned_upload(
    client: Client,
) -> None:
    deliver(drop("incoming/tester/page.html", b"<!DOCTYPE html>"))
    deliver(post(reserve(client), b"%PDF-1.7\n"))
    for job_id, words in ((0, "an HTML page"), (1, "a PDF document")):
        job = client.get(f"/kmeans/jobs/{job_id}").json()
        assert (job["status"], words in job["error"]["detail"]) == ("FAILED", True)
    client.upload()
    client.fit(2)
    made = client.post_json("/kmeans/predictions", {"job_id": 2})
    deliver(post(made.json(), b"%PDF-1.7\n"))
    assert "a PDF document" in client.get(made.headers["Location"]).json()["detail"]


def test_a_packed_file_is_taken_however_it_comes(client: Client) -> None:
    packed = gzip.compress(MODEL_CSV, mtime=0)
    assert client.upload(packed, "model.csv.gz").status == 200
    deliver(drop("incoming/tester/model.csv.gz", packed))
    deliver(post(reserve(client, model_params={}), packed))
    assert client.fit(0).status == 200
    for job_id in range(2):
        assert client.get(f"/kmeans/jobs/{job_id}").json()["status"] == "SUCCEEDED"
    assert client.get("/kmeans/jobs/0/input").body == packed


def test_what_unpacks_to_hundreds_of_times_its_bytes_is_refused_early(client: Client) -> None:
    bomb = gzip.compress(b"1,2\n" * 15_000_000, mtime=0)
    answer = client.upload(bomb, "bomb.csv.gz")
    assert (answer.status, "unpacks to more than 200 times" in answer.text) == (413, True)
    deliver(drop("incoming/tester/bomb.csv.gz", bomb))
    assert client.get("/kmeans/jobs/0").json()["error"]["status"] == 413
