"""Files as people have them, through the whole service: uploaded, fitted, looked at, predicted."""

import gzip
import io
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from harness.api import FORM_TYPE, Client, form
from harness.system import deliver, drop, item, keys
from harness.whole_tables import centers, fitted, send, table, used, warnings

CASES = Path(__file__).parent / "cases"
GAPS = b"name,x,y\na,1,10\nb,,20\nc,3,\nd,,\n"


def uploaded(client: Client, name: str, **reading: str) -> dict[str, Any]:
    answer = send(client, (CASES / name).read_bytes(), name, **reading)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("name", "n_samples", "columns"),
    [
        ("r_default.csv", 4, ["x", "y"]),
        ("pandas_index.csv", 4, ["x", "y"]),
        ("pandas_numhdr.csv", 6, ["0", "1"]),
        ("mall.csv", 24, ["Age", "Annual Income (k$)", "Spending Score (1-100)"]),
        ("iris_small.csv", 2, ["sepal_length", "sepal_width"]),
        ("na.csv", 2, ["x"]),
        ("semi_dec.csv", 2, ["A", "B", "C", "D"]),
        ("r_table.txt", 4, ["x", "y"]),
        ("dummies.csv", 3, ["a", "c_g", "c_r"]),
        ("snapshot2.csv", 6, ["temp", "humidity"]),
        ("comment.csv", 3, ["x", "y"]),
        ("m.csv.gz", 2, [None, None]),
    ],
)
def test_a_file_is_uploaded_fitted_and_predicted_with_the_columns_that_are_measures(
    client: Client, name: str, n_samples: int, columns: list[str | None]
) -> None:
    uploaded(client, name)
    labels = client.fit(0).labels()
    assert len(labels) == n_samples
    assert used(client) == columns
    assert len(centers(client)["centers"][0]) == len(columns)
    # The very file, as it is, is what can be predicted, too.
    again = client.predict((CASES / name).read_bytes())
    assert again.status == 200, again.text
    assert again.labels() == labels


def test_what_is_left_out_and_why_is_said_by_the_job_and_by_its_columns(client: Client) -> None:
    assert uploaded(client, "mall.csv") == {"filename": "mall.csv", "job_id": 0}
    client.fit(0, {"n_clusters": 3})
    said = warnings(client)
    assert "'CustomerID', as it counts the rows from 1 on" in said
    assert "'Genre', as fewer than half of its cells are numbers" in said
    genre = table(client)["columns"][1]
    assert (genre["kind"], genre["role"], genre["rule"]) == ("text", "left_out", "text")
    assert (genre["others"], genre["missing"], genre["distinct"]) == (24, 0, 2)
    assert genre["first_other"] == {"line": 2, "found": "Male"}


def test_columns_tell_counts_range_mean_and_the_first_gap(client: Client) -> None:
    send(client, GAPS)
    found = table(client)
    assert (found["n_rows"], found["n_columns"]) == (4, 3)
    x = found["columns"][1]
    assert (x["numbers"], x["missing"], x["distinct"]) == (2, 2, 2)
    assert (x["least"], x["largest"], x["mean"], x["sd"]) == (1, 3, 2, 1)
    assert x["first_missing"]["line"] == 3


def test_a_missing_cell_becomes_the_mean_and_a_row_without_any_has_no_label(
    client: Client,
) -> None:
    """x is 1, 2 (filled in), 3, and y 10, 20, 15 (filled in); the last row is dropped."""
    answer = fitted(client, GAPS, model_params={"n_clusters": 3})
    lines = answer.text.split("\n")
    assert lines[3:] == ["", ""]
    assert sorted(map(float, lines[:3])) == [0, 1, 2]
    assert sorted(centers(client)["centers"]) == [[1, 10], [2, 20], [3, 15]]
    labels = client.get("/kmeans/jobs/0/labels", Accept="application/json").json()["labels"]
    assert labels == [*map(int, map(float, lines[:3])), None]
    assert "Missing cells became the mean of their column: 4 in 2 columns." in warnings(client)
    assert "Dropped, without a label: 1 row " in warnings(client)


def test_points_may_lack_what_the_file_lacked_and_come_by_name_in_any_order(
    client: Client,
) -> None:
    labels = fitted(client, GAPS, model_params={"n_clusters": 3}).text.split("\n")[:3]
    assert client.predict(GAPS).text.split("\n") == [*labels, "", ""]
    first = [float(labels[0])]
    assert client.predict(b"y;extra;x\n10;z;1\n").labels() == first
    assert client.predict(b"a,1,10\n").labels() == first
    assert client.predict(b"1,10\n").labels() == first
    for points in ([[1, 10]], [[None, 1, 10]], [{"y": 10, "x": 1, "z": "?"}]):
        answer = client.post_json("/kmeans/predict", {"job_id": 0, "points": points})
        assert answer.labels() == first
    missing = client.post_json(
        "/kmeans/predict",
        {"job_id": 0, "points": [[None, 20], [None, None]]},
        Accept="application/json",
    )
    assert missing.json()["labels"] == [int(float(labels[1])), None]
    assert "no column 'y'" in client.predict(b"x,z\n1,2\n").json()["detail"]


def test_words_for_yes_and_no_are_read_in_the_column_that_had_them(client: Client) -> None:
    rows = b"x,id,member,y\n" + b"".join(
        b"%d,r%d,%s,%d\n" % (9 * (row % 2), row, (b"yes", b"no")[row % 2], row % 3)
        for row in range(12)
    )
    labels = fitted(client, rows, model_params={"n_clusters": 2, "random_state": 0}).labels()
    assert used(client) == ["x", "member", "y"]
    assert labels in ([0, 1] * 6, [1, 0] * 6)
    assert client.predict(rows).labels() == labels
    answer = client.predict(b"member,y,x\nyes,1,0\nno,1,9\n")
    assert answer.labels() == labels[:2], answer.text


def test_scaling_is_standard_scalers_and_centers_are_in_the_users_units(client: Client) -> None:
    rows = np.array([[0, 0], [0, 1000], [10, 0], [10, 1000.0]])
    body = b"x,y\n" + b"".join(b"%d,%d\n" % tuple(row) for row in rows)
    given = {"n_clusters": 2, "init": [[0, 500], [10, 500]], "n_init": 1}
    answer = fitted(client, body, model_params=given, preprocessing={"scaling": "standard"})
    assert answer.labels() == [0, 0, 1, 1]
    assert centers(client)["centers"] == [[0, 500], [10, 500]]
    assert client.get("/kmeans/jobs/0/scores").json()["inertia"] == pytest.approx(4)
    pipeline = joblib.load(io.BytesIO(client.get("/kmeans/jobs/0/model").body))
    assert pipeline.predict(rows).tolist() == [0, 0, 1, 1]
    distances = client.predict(b"x,y\n0,0\n", path="/kmeans/transform").text
    assert [float(cell) for cell in distances.split(",")] == pytest.approx([1, 5**0.5])


def test_a_plain_matrix_has_the_fit_id_of_before_whatever_says_the_default(
    client: Client,
) -> None:
    client.upload()
    client.fit(0)
    before = item()["fit_id"]
    for asked in ({}, {"missing": "median"}, {"columns": "all", "missing": "refuse"}):
        client.post_json("/kmeans/fit", {"job_id": 0, "preprocessing": asked})
        assert item()["fit_id"] == before
    client.post_json("/kmeans/fit", {"job_id": 0, "preprocessing": {"scaling": "min_max"}})
    assert item()["fit_id"] != before


def test_a_typing_error_among_numbers_is_refused_with_its_cell_and_shown_as_such(
    client: Client,
) -> None:
    answer = fitted(client, b"x,y\n1,2\n3,4\n5,six\n7,8\n")
    assert (answer.status, answer.json()["line"], answer.json()["column"]) == (422, 4, 2)
    assert '"leave_out": ["y"]' in answer.json()["detail"]
    found = table(client)
    assert found["columns"][1]["role"] == "refused"
    assert "line 4, column 2" in found["refused"]
    left_out = {"job_id": 0, "preprocessing": {"columns": {"leave_out": ["y"]}}}
    assert len(client.post_json("/kmeans/fit", left_out).labels()) == 4


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"columns": ["z"]}, "preprocessing.columns[0]"),
        ({"columns": [1, 1]}, "preprocessing.columns[1]"),
        ({"columns": []}, "preprocessing.columns"),
        ({"missing": "zero"}, "preprocessing.missing"),
        ({"missing": "refuse"}, "preprocessing.missing"),
        ({"scale": "standard"}, "preprocessing.scale"),
        ({"weight_column": "x"}, "preprocessing.weight_column"),
        ({"categories": "dummies"}, "preprocessing.categories"),
        ([], "preprocessing"),
    ],
)
def test_what_cannot_be_asked_of_a_table_names_its_field(
    client: Client, asked: Any, field: str
) -> None:
    answer = fitted(client, GAPS, preprocessing=asked)
    assert (answer.status, answer.json().get("field")) == (422, field), answer.text


def test_what_a_sentence_advises_may_be_asked(client: Client) -> None:
    table = b"name,freq,x\na,1,10\nb,3,20\nc,1,15\n"
    refused = fitted(client, table, preprocessing={"columns": "all"})
    assert (refused.status, '"categories": "one_hot"' in refused.json()["detail"]) == (422, True)
    asked = {"columns": "all", "categories": "one_hot"}
    assert fitted(client, table, preprocessing=asked).status == 200
    assert fitted(client, table, preprocessing={}).status == 200
    assert "weight_column" in warnings(client)
    assert fitted(client, table, preprocessing={"weight_column": "freq"}).status == 200


def test_a_guess_is_said_and_the_option_makes_another_job_and_another_fit(client: Client) -> None:
    body = b"0,1\n5,2\n7,3\n"
    first = send(client, body).json()
    assert first["reading"]["header"] == "absent"
    assert "header decides" in first["warnings"][0]
    second = send(client, body, header="present").json()
    assert second == {"filename": "table.csv", "job_id": 1}
    assert send(client, body, header="present").json()["job_id"] == 1
    assert [client.get(f"/kmeans/jobs/{n}").json()["n_samples"] for n in (0, 1)] == [3, 2]
    assert "header decides" in warnings(client)
    refused = send(client, body, header="yes")
    assert (refused.status, refused.json()["field"]) == (422, "header")


def test_comments_that_were_passed_over_are_counted(client: Client) -> None:
    assert uploaded(client, "comment.csv")["reading"]["comments"] == 2


def test_a_file_without_numbers_is_refused_at_the_upload_and_says_what_it_has(
    client: Client,
) -> None:
    answer = send(client, b"name,place\nann,rome\nbob,bonn\n")
    assert answer.status == 422
    assert "no column of numbers" in answer.json()["detail"]
    assert "'name' (text)" in answer.json()["detail"]
    assert keys() == []


def test_the_profile_goes_with_its_job(client: Client) -> None:
    uploaded(client, "mall.csv")
    assert any(key.endswith(".table.json.gz") for key in keys())
    client.call("DELETE", "/kmeans/jobs/0")
    assert keys() == []


def test_a_table_is_dropped_into_the_bucket_with_what_it_needs_as_metadata(client: Client) -> None:
    asked = {"preprocessing": '{"scaling": "standard"}', "header": "present", "x": "y"}
    body = gzip.compress((CASES / "mall.csv").read_bytes(), mtime=0)
    assert deliver(drop("incoming/tester/mall.csv.gz", body, **asked)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["preprocessing"]) == ("SUCCEEDED", {"scaling": "standard"})
    assert view["reading"] == {"header": "present"}
    assert "The metadata 'x' is not known" in " ".join(view["warnings"])
    assert "Left out" in " ".join(view["warnings"])


def test_fit_predict_takes_a_table_and_points_of_it(client: Client) -> None:
    body = (CASES / "mall.csv").read_bytes()
    sent = form(
        ("file", "mall.csv", body),
        ("preprocessing", None, b'{"scaling": "standard"}'),
        ("predict", "points.csv", body),
    )
    answer = client.call("POST", "/kmeans/fit_predict", sent, FORM_TYPE)
    assert answer.status == 200, answer.text
    assert answer.labels() == client.get("/kmeans/jobs/0/labels").labels()


@pytest.mark.thorough
def test_columns_come_a_page_at_a_time_where_they_fill_an_answer(client: Client) -> None:
    width = 20_000
    rows = [",".join(f"{row}.{column % 7}" for column in range(width)) for row in range(3)]
    names = ",".join(f"gene_{column}" for column in range(width))
    answer = fitted(client, "\n".join([names, *rows, ""]).encode())
    assert len(answer.labels()) == 3
    found: list[str] = []
    path = "/kmeans/jobs/0/columns"
    while path:
        page = table(client, path)
        assert len(page["columns"]) < width
        found += [column["name"] for column in page["columns"]]
        following = page.get("next_cursor")
        path = f"/kmeans/jobs/0/columns?cursor={following}" if following else ""
    assert found == names.split(",")
    assert client.get("/kmeans/jobs/0/columns?cursor=0").status == 422
