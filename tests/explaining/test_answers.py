"""GET …/clusters, …/projection and …/report of jobs."""

import csv
import html
import io
import json
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

from harness.api import Client


def iris() -> bytes:
    """With its species, which a fit leaves out."""
    data = load_iris()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["sepal length", "sepal width", "petal length", "petal width", "species"])
    for row, species in zip(data.data.tolist(), data.target.tolist(), strict=True):
        writer.writerow([*row, data.target_names[species]])
    return text.getvalue().encode()


@pytest.fixture
def fitted(client: Client) -> Client:
    client.upload(iris(), "iris.csv")
    assert client.fit(0, {"n_clusters": 3, "random_state": 0}).status == 200
    return client


def answer(client: Client, name: str) -> Any:
    found = client.get(f"/kmeans/jobs/0/{name}")
    assert found.status == 200, found.body
    return found.json()


def rename(client: Client, **names: object) -> None:
    body = json.dumps(names).encode()
    found = client.call("PATCH", "/kmeans/jobs/0", body, {"Content-Type": "application/json"})
    assert found.status == 200, found.body


def test_clusters_are_described_from_the_stored_fit(fitted: Client) -> None:
    found = answer(fitted, "clusters")
    labels = np.array(fitted.get("/kmeans/jobs/0/labels").labels())
    X = load_iris().data
    assert found["tree"]["fidelity"] >= 0.97
    for cluster in found["clusters"]:
        own = labels == cluster["label"]
        assert cluster["size"] == own.sum()
        assert (cluster["number"], cluster["name"]) == (cluster["label"], None)
        center = [each["value"] for each in cluster["center"]][:4]
        assert np.allclose(center, X[own].mean(axis=0), rtol=1e-12)
        row = cluster["typical_row"]
        nearest = np.linalg.norm(X - center, axis=1)
        assert row["line"] == np.where(own, nearest, np.inf).argmin() + 2
        assert [float(cell) for cell in row["cells"][:4]] == X[row["line"] - 2].tolist()


def test_a_category_that_was_left_out_is_described_and_told_of(fitted: Client) -> None:
    found = answer(fitted, "clusters")
    assert found["columns"][4] == {
        "column": 5,
        "name": "species",
        "used": False,
        "reason": found["columns"][4]["reason"],
    }
    assert any(
        "species is described, but the fit did not use it" in note for note in found["notes"]
    )
    sizes = {each["size"]: each["center"][4] for each in found["clusters"]}
    assert sizes[50] == {"column": 5, "name": "species", "value": "setosa", "share": 1.0}
    assert all(each["column"] < 5 for one in found["clusters"] for each in one["sets_apart"])


def test_categories_of_a_fit_are_told_by_their_texts(client: Client) -> None:
    kinds = ("red", "red", "blue", "", "blue")
    rows = "".join(f"{row % 5},{kinds[row % 5]},{9 * (row % 2)}\n" for row in range(60))
    client.upload(f"x,kind,y\n{rows}".encode(), "kinds.csv")
    asked = {"job_id": 0, "preprocessing": {"categories": "one_hot", "columns": ["kind"]}}
    asked["model_params"] = {"n_clusters": 2}
    assert client.post_json("/kmeans/fit", asked).status == 200
    found = answer(client, "clusters")
    assert found["notes"][0] == "12 rows were dropped by the fit, and count nowhere."
    red = next(each for each in found["clusters"] if each["center"][0]["value"] == "red")
    assert (red["size"], red["center"][0]["share"]) == (24, 1.0)
    assert "kind (100 % against 0 %)" in red["sentence"] or "kind (0 % against" in red["sentence"]
    assert red["rule"]["text"] in ("kind is “red”", "kind is not “blue”")
    assert found["tree"]["fidelity"] == 1.0
    axes = answer(client, "projection")["axes"]
    assert {each["value"] for each in axes[0]["loadings"]} <= {"red", "blue", "(missing)"}


def test_a_weighted_fit_says_where_weights_count(client: Client) -> None:
    client.upload(b"x,w\n1,1\n2,3\n90,1\n91,1\n", "weighted.csv")
    asked = {"job_id": 0, "preprocessing": {"weight_column": "w"}}
    assert client.post_json("/kmeans/fit", asked).status == 200
    found = answer(client, "clusters")
    assert "weights are in the centers alone" in found["notes"][-1]
    assert sorted(each["center"][0]["value"] for each in found["clusters"]) == [1.75, 90.5]
    assert [each["size"] for each in found["clusters"]] == [2, 2]


def test_normalised_rows_are_told_in_raw_means_too(client: Client) -> None:
    client.upload(b"x,y\n1,0.5\n10,5.5\n0.5,1\n5,10.5\n", "angles.csv")
    asked = {"job_id": 0, "preprocessing": {"normalize": "l2"}}
    assert client.post_json("/kmeans/fit", asked).status == 200
    means = [
        [column["mean"] for column in each["center"]]
        for each in answer(client, "clusters")["clusters"]
    ]
    assert sorted(means) == [[2.75, 5.75], [5.5, 3.0]]
    assert answer(client, "projection")["axes"][0]["text"] != "x"


def test_a_projection_has_every_row_and_its_line(fitted: Client) -> None:
    found = answer(fitted, "projection")
    labels = fitted.get("/kmeans/jobs/0/labels").labels()
    assert [point["line"] for point in found["points"]] == list(range(2, 152))
    assert [point["label"] for point in found["points"]] == labels
    # scikit-learn's PCA of iris: 92.5 % and 5.3 %.
    assert [round(axis["share"], 3) for axis in found["axes"]] == [0.925, 0.053]


def test_names_follow_and_are_another_answer(fitted: Client) -> None:
    tags = {}
    for name in ("clusters", "projection", "report"):
        tags[name] = fitted.get(f"/kmeans/jobs/0/{name}").headers["ETag"]
        again = fitted.get(f"/kmeans/jobs/0/{name}", **{"If-None-Match": tags[name]})
        assert again.status == 304
    rename(fitted, name="Flowers", clusters={"1": "<i>Small</i>"})
    for name, tag in tags.items():
        found = fitted.get(f"/kmeans/jobs/0/{name}", **{"If-None-Match": tag})
        assert (found.status, "<i>Small</i>" in found.text) == (200, name != "report")
    assert answer(fitted, "clusters")["clusters"][1]["name"] == "<i>Small</i>"
    assert answer(fitted, "projection")["centers"][1]["name"] == "<i>Small</i>"
    page = fitted.get("/kmeans/jobs/0/report").text
    assert "<h1>Flowers</h1>" in page
    assert "&lt;i&gt;Small&lt;/i&gt;" in page


def test_what_is_made_once_is_not_waited_for_again(
    fitted: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("clusters", "projection"):
        assert fitted.get(f"/kmeans/jobs/0/{name}").status == 200
    monkeypatch.setattr("kmeans_service.config.MADE_AT_ONCE_SECONDS", 0.0)
    rename(fitted, clusters={"1": "Small"})
    for name in ("clusters", "projection", "report"):
        assert fitted.get(f"/kmeans/jobs/0/{name}").status == 200
    assert fitted.get("/kmeans/jobs/0/rows").status == 202


def test_a_report_is_a_page_that_may_do_nothing(fitted: Client) -> None:
    found = fitted.get("/kmeans/jobs/0/report", Accept="text/html,*/*;q=0.8")
    assert found.status == 200
    assert found.headers["Content-Type"] == "text/html; charset=utf-8"
    assert found.headers["Content-Security-Policy"].endswith("sandbox")
    assert "Content-Disposition" not in found.headers
    for text in ("fewer than half", '"n_clusters": 3', "numpy", "Inertia", "left out"):
        assert text in found.text
    assert fitted.get("/kmeans/jobs/0/report", Accept="application/json").status == 406


def test_a_report_has_the_request_that_makes_it_again(client: Client) -> None:
    client.upload(iris(), "iris.csv")
    asked: dict[str, Any] = {"job_id": 0, "preprocessing": {"scaling": "standard"}}
    asked["model_params"] = {"n_clusters": 3, "algorithm": "swap"}
    assert client.post_json("/kmeans/fit", asked).status == 200
    assert client.post_json("/kmeans/fit", asked | {"align_to": 0}).status == 200
    page = html.unescape(client.get("/kmeans/jobs/0/report").text)
    again = json.loads(page.split(" -d '")[1].split("'</code>")[0])
    labels = client.get("/kmeans/jobs/0/labels").headers["ETag"]
    assert again["align_to"] == 0
    assert again["preprocessing"] == {"scaling": "standard"}
    assert client.post_json("/kmeans/fit", again).status == 200
    assert client.get("/kmeans/jobs/0/labels").headers["ETag"] == labels


def test_scaled_rows_with_gaps_are_described_in_the_users_units(client: Client) -> None:
    client.upload(b"x;y;z\n1;;10\n\n2;1;11\n900;3;12\n901;5;\n", "gaps.csv")
    asked = {"job_id": 0, "preprocessing": {"scaling": "standard"}}
    assert client.post_json("/kmeans/fit", asked).status == 200
    found = answer(client, "clusters")
    small = next(each for each in found["clusters"] if each["center"][0]["value"] < 100)
    assert [round(each["value"], 9) for each in small["center"]] == [1.5, 2.0, 10.5]
    lines = {each["typical_row"]["line"] for each in found["clusters"]}
    assert lines <= {2, 4, 5, 6}
    assert small["typical_row"]["cells"] in (["1", "", "10"], ["2", "1", "11"])
    assert [point["line"] for point in answer(client, "projection")["points"]] == [2, 4, 5, 6]


def test_a_record_of_several_lines_is_found_where_it_begins(client: Client) -> None:
    rows = "".join(f'"a\nb{row}",{row % 7},{row}.5\n' for row in range(200))
    client.upload(f"note,x,y\n{rows}".encode(), "notes.csv")
    assert client.fit(0, {"n_clusters": 2}).status == 200
    for cluster in answer(client, "clusters")["clusters"]:
        row = cluster["typical_row"]
        number = int(float(row["cells"][2]))
        assert row["line"] == 2 + 2 * number
        assert row["cells"][0] == f"a\nb{number}"
    lines = [point["line"] for point in answer(client, "projection")["points"]]
    assert lines == list(range(2, 402, 2))


def test_a_job_without_a_model_has_nothing_to_describe(client: Client) -> None:
    client.upload(iris(), "iris.csv")
    for name in ("clusters", "projection", "report"):
        assert client.get(f"/kmeans/jobs/0/{name}").status == 409
        assert client.get(f"/kmeans/jobs/1/{name}").status == 404
        assert client.get(f"/kmeans/jobs/0/{name}?k=3").status == 422


def test_markup_in_a_file_is_text_in_its_report(client: Client) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    text = f'{hostile},"</style><script>",kind\n'
    text += "".join(f"{row}.5,{row % 5},{hostile}{row % 2}\n" for row in range(30))
    client.upload(text.encode(), f"{hostile}.csv")
    assert client.fit(0, {"n_clusters": 2}).status == 200
    page = client.get("/kmeans/jobs/0/report").text
    assert "<img" not in page
    assert "<script" not in page
    assert page.count("</style>") == 1
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
