"""The rows of a file with what the fit says of each behind it, byte for byte."""

import codecs
import csv
import gzip
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import requests

from harness import PROJECT
from harness.api import Client
from harness.data.csv_cases import csv_of
from harness.system import created, deliver, job
from kmeans_service import config
from kmeans_service.explaining import assigned, distances
from kmeans_service.explaining.assigned import assign
from kmeans_service.explaining.finished import finished
from kmeans_service.explaining.training import training_of
from kmeans_service.models.loading import model_of
from kmeans_service.models.manifest import from_npy

CASES = sorted((PROJECT / "tests" / "cases").iterdir())
CONVERTED = ".xlsx"


def rows(client: Client, query: str = "") -> bytes:
    answer = client.get(f"/kmeans/jobs/0/rows{query}")
    assert answer.status == 200, answer.body
    return answer.body


def fitted(client: Client, body: bytes, name: str = "a.csv", **params: object) -> None:
    """Job 0, in two clusters."""
    client.upload(body, name)
    if name.endswith(CONVERTED):
        deliver(created("pending/tester/0/input.csv"))
    assert client.fit(0, {"n_clusters": 2, "random_state": 0} | params).status == 200


def without_ours(answer: bytes, delimiter: bytes) -> bytes:
    """The answer less the six cells at the end of each line that has them."""
    lines = answer.split(b"\n")
    for place, line in enumerate(lines):
        cells = line.removesuffix(b"\r").rsplit(delimiter, 6)
        if len(cells) == 7:
            lines[place] = cells[0] + b"\r" * line.endswith(b"\r")
    return b"\n".join(lines)


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.suffix != CONVERTED], ids=lambda path: path.name
)
def test_of_files_as_people_have_them_every_byte_is_there(client: Client, path: Path) -> None:
    body = path.read_bytes()
    fitted(client, body, path.name)
    text = gzip.decompress(body) if path.suffix == ".gz" else body
    delimiter = {"semi_dec.csv": b";", "r_table.txt": b" "}.get(path.name, b",")
    answer = rows(client)
    assert answer != text
    assert without_ours(answer, delimiter) == text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # Comments, a `sep=` line and blank lines before the first row; blank lines between rows.
        (b"sep=;\na;b\n1;2\n\n3;4\n;\n", b"sep=;\na;b@\n1;2#\n\n3;4#\n;\n"),
        (b"# made by\n# a,b\n\n1,2\n3,4", b"# made by\n# a,b\n\n1,2#\n3,4#"),
        # Line breaks of Windows, of old Macs, and with one carriage return too many.
        (b"a,b\r\n1,2\r\n3,4\r\n", b"a,b@\r\n1,2#\r\n3,4#\r\n"),
        (b"a,b\r1,2\r3,4\r", b"a,b@\r1,2#\r3,4#\r"),
        (b"a,b\r\r\n1,2\r\r\n3,4\r\r\n", b"a,b@\r\r\n1,2#\r\r\n3,4#\r\r\n"),
        # Line breaks and delimiters in quotes.
        (b'a,"b\nb"\n1,"x\ny"\n3,"x,""y"\n', b'a,"b\nb"@\n1,"x\ny"#\n3,"x,""y"#\n'),
        (b'"a\n",b\n"x\n",1\n"y",2\n', b'"a\n",b@\n"x\n",1#\n"y",2#\n'),
        # A delimiter too many stays behind, so that the columns are aligned.
        (b"a,b\n1,2\n3,4,\n5,6,, \r\n", b"a,b@\n1,2#\n3,4#,\n5,6#,, \r\n"),
        (b'a,b\n1,2\n"3","4" ,\n', b'a,b@\n1,2#\n"3","4" #,\n'),
        # A header without a name for the last column, which has a cell in every row.
        (b"a,b\n1,2,\n3,4,\n", b"a,b,@\n1,2,#\n3,4,#\n"),
        (b"a,b,\n1,2,\n3,4,\n", b"a,b,@\n1,2,#\n3,4,#\n"),
        # Byte order marks, and DOS's end mark.
        (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", b"\xef\xbb\xbfa,b@\n1,2#\n3,4#\n"),
        (b"a,b\n1,2\n3,4\x1a", b"a,b@\n1,2#\n3,4#\x1a"),
        (b"a,b\n1,2\n3,4\n\x1a", b"a,b@\n1,2#\n3,4#\n\x1a"),
        # Blanks around cells.
        (b" a , b \n 1 , 2 \n 3 , 4 \n", b" a , b @\n 1 , 2 #\n 3 , 4 #\n"),
        # No header: nothing is named.
        (b"1,2\n3,4\n", b"1,2#\n3,4#\n"),
    ],
)
def test_cells_stand_behind_rows_and_all_else_stays(
    client: Client, body: bytes, expected: bytes
) -> None:
    """@ stands for the names, # for the cells."""
    fitted(client, body)
    delimiter = b";" if b";" in body else b","
    names = b"".join(
        delimiter + name
        for name in (b"cluster", b"cluster_name", b"distance", b"second", b"margin", b"outlier")
    )
    cells = re.compile(
        delimiter.join([b"", b"[01]", b"", b"[0-9.e-]+", b"[01]", b"[0-9.]+", b"[01]"])
    )
    marked = cells.sub(b"#", rows(client).replace(names, b"@"))
    assert marked == expected


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "cp1252"])
def test_other_encodings_stay_what_they_are(client: Client, encoding: str) -> None:
    text = "größe,Straße\n1,ä\n2,ö\n9,ü\n"
    mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
    body = mark + text.encode(encoding)
    fitted(client, body)
    answer = client.get("/kmeans/jobs/0/rows")
    charset = "windows-1252" if encoding == "cp1252" else "utf-16"
    assert answer.headers["Content-Type"] == f"text/csv; charset={charset}"
    assert answer.body.startswith(body[:6])
    read = answer.body.removeprefix(mark).decode(encoding).splitlines()
    assert [line.split(",")[:2] for line in read] == [line.split(",") for line in text.splitlines()]
    assert all(len(line.split(",")) == 8 for line in read)


def test_decimal_commas_are_those_of_the_file(client: Client) -> None:
    fitted(client, b"a;b\n1,5;2\n2,5;4\n9,5;6,25\n")
    line = rows(client).decode().splitlines()[1].split(";")
    assert line[:2] == ["1,5", "2"]
    assert "." not in "".join(line)
    assert float(line[4].replace(",", ".")) > 0


def test_of_a_file_between_spaces_an_empty_cell_is_in_quotes(client: Client) -> None:
    fitted(client, b'"x" "y"\n"a" 1 2\n"b" NA NA\n"c" 8 9\n')
    header, first, dropped, _ = rows(client).decode().splitlines()
    assert header.split(" ")[2:] == [
        *("cluster", "cluster_name", "distance", "second", "margin", "outlier")
    ]
    assert first.split(" ")[4] == '""'
    assert dropped == '"b" NA NA' + ' ""' * 6


def test_names_that_the_file_has_too_get_a_suffix(client: Client) -> None:
    fitted(client, b"cluster,distance,distance.1\n1,2,3\n2,3,5\n9,9,9\n")
    assert rows(client).splitlines()[0] == (
        b"cluster,distance,distance.1,cluster.1,cluster_name,distance.2,second,margin,outlier"
    )


def test_clusters_are_called_as_their_owner_does(client: Client) -> None:
    fitted(client, b"a;b\n1;1\n2;2\n9;9\n")
    before = client.get("/kmeans/jobs/0/rows")
    names = {"0": 'Öl; "fein"', "1": "plain"}
    client.call(
        "PATCH",
        "/kmeans/jobs/0",
        json.dumps({"clusters": names}).encode(),
        {"Content-Type": "application/json"},
    )
    after = client.get("/kmeans/jobs/0/rows", If_None_Match=before.headers["ETag"])
    read = list(csv.reader(io.StringIO(after.body.decode()), delimiter=";"))
    assert {(row[2], row[3]) for row in read[1:]} == set(names.items())


def test_of_one_cluster_there_is_no_second(client: Client) -> None:
    fitted(client, b"1,1\n2,2\n9,9\n", n_clusters=1)
    for line in rows(client).decode().splitlines():
        assert re.fullmatch(r"\d,\d,0,,[0-9.]+,,,0", line)


def test_a_row_on_the_border_of_two_clusters_has_no_margin(client: Client) -> None:
    """By hand: centers 1 and 9, and 5 between them."""
    fitted(client, b"0\n1\n2\n8\n9\n10\n", init=[[1], [9]], n_init=1)
    found = [line.split(",") for line in rows(client).decode().splitlines()]
    assert [row[1] for row in found] == ["0", "0", "0", "1", "1", "1"]
    assert [float(row[3]) for row in found] == [1, 0, 1, 1, 0, 1]
    assert [float(row[5]) for row in found] == [8 / 9, 1, 6 / 7, 6 / 7, 1, 8 / 9]
    answer = client.predict(b"5\n", path="/kmeans/predict?answer=rows").body.decode()
    assert answer == "5,0,,4.0,1,0.0,1\n"


def test_rows_of_a_converted_file_are_csv(client: Client) -> None:
    [path] = [path for path in CASES if path.suffix == CONVERTED]
    fitted(client, path.read_bytes(), path.name)
    answer = client.get("/kmeans/jobs/0/rows")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    header, *lines = answer.body.decode().splitlines()
    assert header.endswith(",cluster,cluster_name,distance,second,margin,outlier")
    assert len(lines) == client.get("/kmeans/jobs/0").json()["n_samples"]
    assert len({line.count(",") for line in [header, *lines]}) == 1


def test_distances_are_those_after_scaling(client: Client) -> None:
    body = {
        "job_id": 0,
        "model_params": {"n_clusters": 1},
        "preprocessing": {"scaling": "standard"},
    }
    client.upload(b"1\n2\n3\n")
    assert client.post_json("/kmeans/fit", body).status == 200
    found = [float(line.split(",")[3]) for line in rows(client).decode().splitlines()]
    assert found == pytest.approx([1.5**0.5, 0, 1.5**0.5])


def test_a_large_answer_is_a_link_to_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fitted(client, b"1,2\n3,4\n")
    whole = rows(client)
    monkeypatch.setattr(config, "MAX_ANSWER_BYTES", 20)
    answer = client.get("/kmeans/jobs/0/rows")
    assert answer.status == 303
    assert requests.get(answer.headers["Location"], timeout=10).content == whole


def test_of_very_many_rows_every_so_many_is_measured_wherever_blocks_end(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = np.random.default_rng(0).normal(size=(120, 2)).round(3)
    fitted(client, csv_of(X))
    every_third = assign(model_of(job().published), X[::3])
    expected = distances.quantiles_of(every_third.labels, every_third.distances, 2)
    monkeypatch.setattr(distances, "MOST_ROWS", 50)
    for name in ("CHUNK", "_MOST_ROWS"):
        monkeypatch.setattr(assigned, name, 7)
    [made] = distances.make(job(), {}, lambda: None)
    assert np.array_equal(from_npy(made), expected)


@pytest.mark.parametrize("body", [b"x,y\n%s", b"x,y\n\n%s"], ids=["plain", "a blank line"])
def test_a_row_is_known_by_its_line_whatever_block_it_is_read_in(
    client: Client, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    X = np.random.default_rng(0).normal(size=(30, 2)).round(3)
    fitted(client, body % csv_of(X))
    for name in ("CHUNK", "_MOST_ROWS"):
        monkeypatch.setattr(assigned, name, 7)
    with training_of(job(), lambda: None) as training:
        lines = [line for _, _, some in finished(training).rows() for line in some.tolist()]
    first = body.count(b"\n") + 1
    assert lines == list(range(first, first + len(X)))


@pytest.mark.parametrize(
    ("share", "limit"),
    [(0.5, 5000), (0.75, 7500), (0.9, 9000), (0.999, 9990), (0.9991, 9991), (0.9999, 9999)],
)
def test_of_ten_thousand_rows_a_quantile_is_the_distance_of_one(share: float, limit: int) -> None:
    spread = np.random.default_rng(0).permutation(np.arange(1.0, 10_001))
    quantiles = distances.quantiles_of(np.zeros(10_000, dtype=np.int32), spread, 1)
    assert distances.at(quantiles, share).tolist() == [limit]
