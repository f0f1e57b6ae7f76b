"""Points to predict with what the model says behind each: as the rows of its file."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from harness import PROJECT
from harness.api import Answer, Client
from harness.presigned import follow, labels, predict
from harness.system import deliver, work_off
from kmeans_service import config

CASES = sorted((PROJECT / "tests" / "cases").iterdir())
PATH = "/kmeans/predict?answer=rows"
XY = b"x,y\n0,0\n0,2\n10,0\n10,2\n"


def fitted(client: Client, body: bytes = XY, name: str = "a.csv") -> None:
    assert client.upload(body, name).status == 200
    assert client.fit(0, {"n_clusters": 2, "random_state": 0}).status == 200


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def test_a_point_is_answered_as_it_was_sent_with_its_cluster_behind(client: Client) -> None:
    """By hand: 0,1 is a center, and 3,1 is 3 from the one and 7 from the other."""
    fitted(client)
    left = client.predict(b"0,1\n").body.strip()
    found = rows_of(client.predict(b"y, x\n1, 0\n1,3\n", path=PATH))
    assert [row["y"] for row in found] == ["1", "1"]
    assert [row[" x"] for row in found] == [" 0", "3"]
    assert float(found[0]["cluster"]) == float(left)
    assert [float(row["distance"]) for row in found] == [0, 3]
    assert {row["second"] for row in found} == {str(1 - int(float(left)))}
    assert [float(row["margin"]) for row in found] == [1, 4 / 7]
    assert [row["outlier"] for row in found] == ["0", "1"]  # the fit's own rows are 1 away


def test_points_as_json_are_answered_as_objects(client: Client) -> None:
    fitted(client)
    points = {"job_id": 0, "points": [[0, 1], [3, 1]]}
    answer = client.post_json(PATH, points)
    first, second = answer.json()["rows"]
    assert list(first) == ["cluster", "cluster_name", "distance", "second", "margin", "outlier"]
    assert (first["distance"], first["margin"], first["outlier"]) == (0, 1, False)
    assert (second["distance"], second["margin"], second["outlier"]) == (3, 4 / 7, True)
    assert {first["cluster"], first["second"]} == {0, 1}
    assert first["cluster_name"] is None
    assert client.post_json(PATH, points, Accept="text/csv").status == 406
    as_file = client.predict(b"0,1\n3,1\n", path=PATH, Accept="application/json")
    assert as_file.json() == answer.json()


def test_a_point_that_the_fit_would_drop_has_nothing_behind_it(client: Client) -> None:
    fitted(client, b"a,b,c\n1,NA,x\n2,2,y\n9,9,z\n8,8,x\n")
    answer = client.predict(b"a,b,c\nNA,NA,x\n1,1,y\n", path=PATH)
    assert answer.body.splitlines()[1] == b"NA,NA,x,,,,,,"
    objects = client.post_json(PATH, {"job_id": 0, "points": [[None, None], [1, 1]]}).json()["rows"]
    assert [each is None for each in objects] == [True, False]


@pytest.mark.parametrize(
    "path", [path for path in CASES if path.suffix not in (".xlsx",)], ids=lambda path: path.name
)
def test_the_file_of_the_fit_is_answered_as_its_rows_are(client: Client, path: Path) -> None:
    body = path.read_bytes()
    fitted(client, body, path.name)
    predicted = client.predict(body, path=PATH)
    assert predicted.body == client.get("/kmeans/jobs/0/rows").body
    assert "charset=" in predicted.headers["Content-Type"]


def test_many_rows_agree_to_the_last_bit_and_one_percent_of_them_are_outliers(
    client: Client,
) -> None:
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(c, 1, (n, 3)) for c, n in ((0, 6000), (4, 3000), (9, 1500))])
    text = io.BytesIO()
    np.savetxt(text, rng.permutation(X), fmt="%.6f", delimiter=",")
    client.upload(text.getvalue())
    assert client.fit(0, {"n_clusters": 3, "random_state": 0}).status == 200
    rows = client.get("/kmeans/jobs/0/rows").body
    assert client.predict(text.getvalue(), path=PATH).body == rows
    cells = np.loadtxt(io.BytesIO(rows), delimiter=",", usecols=(3, 5, 6, 7, 8))
    labels = client.get("/kmeans/jobs/0/labels").body
    assert np.array_equal(cells[:, 0], np.loadtxt(io.BytesIO(labels)))
    assert np.mean(cells[:, 4]) == pytest.approx(0.01, abs=0.003)
    for cluster in range(3):
        assert np.mean(cells[cells[:, 0] == cluster, 4]) == pytest.approx(0.01, abs=0.001)
    half = client.get("/kmeans/jobs/0/rows?outlier_quantile=0.5").body
    outliers = np.loadtxt(io.BytesIO(half), delimiter=",", usecols=(8,))
    assert np.mean(outliers) == pytest.approx(0.5, abs=0.001)


def test_where_many_rows_must_be_measured_first_the_client_is_told_to_come_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(client)
    monkeypatch.setattr(config, "MADE_AT_ONCE_SECONDS", -1.0)
    answer = client.predict(b"0,1\n", path=PATH)
    assert (answer.status, answer.json()["title"]) == (409, "Being made")
    assert int(answer.headers["Retry-After"]) >= 1
    assert work_off() == 0
    assert client.predict(b"0,1\n", path=PATH).status == 200


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("answer=row", "answer", "allowed is labels or rows"),
        ("answer=rows&outlier_quantile=0.4", "outlier_quantile", "from 0.5 to 0.9999"),
        ("answer=rows&outlier_quantile=nan", "outlier_quantile", "from 0.5 to 0.9999"),
        ("outlier_quantile=0.9", "outlier_quantile", "of answer=rows alone"),
        ("answers=rows", "answers", "allowed are answer, outlier_quantile"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    client: Client, query: str, field: str, words: str
) -> None:
    fitted(client)
    answer = client.predict(path=f"/kmeans/predict?{query}")
    assert (answer.status, answer.json()["field"]) == (422, field)
    assert words in answer.json()["detail"]


def test_more_than_an_answer_carries_is_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted(client)
    monkeypatch.setattr(config, "MAX_INLINE_BYTES", 900)
    answer = client.predict(b"0,1\n" * 60, path=PATH)
    assert answer.status == 413
    assert json.loads(answer.body)["max_bytes"] == 900


def test_large_points_are_answered_as_rows_too(client: Client) -> None:
    fitted(client)
    points = b"y;x;note\n1;0;a\n1;3;b\n"
    path, arrived = predict(client, points, answer="rows", outlier_quantile=0.9)
    assert deliver(arrived) == 0
    wanted = client.predict(points, path=f"{PATH}&outlier_quantile=0.9").text
    assert follow(client.get(path)) == wanted
    path, arrived = predict(client, points, answer="labels")
    assert deliver(arrived) == 0
    assert len(labels(follow(client.get(path)))) == 2


def test_large_points_that_are_converted_are_answered_as_csv_with_their_clusters(
    client: Client,
) -> None:
    fitted(client)
    path, arrived = predict(client, b'{"x": 0, "y": 1}\n{"x": 3, "y": 1}\n', answer="rows")
    assert deliver(arrived) == 0
    header, first, _ = follow(client.get(path)).splitlines()
    assert header == "x,y,cluster,cluster_name,distance,second,margin,outlier"
    assert first.startswith("0,1,")


@pytest.mark.parametrize(
    ("more", "field", "words"),
    [
        ({"answer": "row"}, "answer", "allowed is labels or rows"),
        ({"answer": ["rows"]}, "answer", "allowed is labels or rows"),
        ({"answer": "rows", "outlier_quantile": "0.9"}, "outlier_quantile", "from 0.5 to 0.9999"),
        ({"answer": "rows", "outlier_quantile": 1}, "outlier_quantile", "from 0.5 to 0.9999"),
        ({"outlier_quantile": 0.9}, "outlier_quantile", "of answer=rows alone"),
    ],
)
def test_what_cannot_be_asked_of_large_points_is_refused(
    client: Client, more: dict[str, object], field: str, words: str
) -> None:
    fitted(client)
    answer = client.post_json("/kmeans/predictions", {"job_id": 0, **more})
    assert (answer.status, answer.json()["field"]) == (422, field)
    assert words in answer.json()["detail"]
