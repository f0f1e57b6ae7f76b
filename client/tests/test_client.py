"""The client against a service: tables in, labels and matrices out, and what goes wrong."""

import io
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmeans_client import Client, KMeansError, problems, uploads
from kmeans_client.results import Labels
from kmeans_client.tables import table

from .points import CSV, SIX, TWO


@pytest.fixture(scope="module")
def job(client: Client) -> int:
    job_id = client.upload(CSV, "six.csv")["job_id"]
    client.fit(job_id, TWO)
    return job_id


@pytest.mark.parametrize(
    "data",
    [
        SIX,
        np.array(SIX),
        np.array(SIX, dtype=np.float64),
        pd.DataFrame(SIX, columns=["a", "b"]),
        pl.DataFrame({"a": [1, 1, 1, 10, 10, 10], "b": [2, 4, 0, 2, 4, 0]}),
        CSV,
        io.BytesIO(CSV),
        io.StringIO(CSV.decode()),
    ],
    ids=["lists", "integers", "floats", "pandas", "polars", "bytes", "file", "text file"],
)
def test_a_table_may_be_many_things(client: Client, data: Any) -> None:
    labels = client.fit_predict(data, TWO)
    assert labels == [0, 0, 0, 1, 1, 1]
    assert client.predict(labels.job_id or 0, data if data is SIX else SIX) == labels


def test_a_file_is_given_by_its_path(client: Client, tmp_path: Path) -> None:
    (tmp_path / "six.csv").write_bytes(CSV)
    (tmp_path / "six.tar").write_bytes(CSV)  # an ending decides nothing
    assert client.fit_predict(tmp_path / "six.tar", TWO, predict=tmp_path / "six.tar")[5] == 1
    for path in (tmp_path / "six.csv", str(tmp_path / "six.csv")):
        uploaded = client.upload(path)
        assert uploaded["filename"] == "six.csv"
        assert client.get_input(uploaded["job_id"]) == CSV


def test_what_a_fit_found_is_read(client: Client, job: int) -> None:
    assert client.get_labels(job) == [0, 0, 0, 1, 1, 1]
    centers = client.get_centers(job)
    assert centers == [[1, 2], [10, 2]]
    assert centers.names == ["a", "b"]
    assert list(centers.to_pandas().columns) == centers.to_polars().columns == ["a", "b"]
    assert client.get_scores(job)["inertia"] == 16
    assert [column["role"] for column in client.get_columns(job)["columns"]] == ["used", "used"]
    assert client.get_rows(job).startswith(b"a,b,cluster,")
    assert [cluster["size"] for cluster in client.get_clusters(job)["clusters"]] == [3, 3]
    assert len(client.get_projection(job)["points"]) == 6
    assert client.get_migration(job, job)["n_stayed"] == 6
    assert client.get_report(job).startswith("<!doctype html>")
    assert len(client.get_model(job)) > 100
    assert client.transform(job, [[1, 0]]).to_numpy() == pytest.approx(np.array([[2, 85**0.5]]))
    assert client.score(job, [[1, 0], [10, 5]]) == -13
    assert client.predict_rows(job, b"a,b\n1,0\n").startswith(b"a,b,cluster,")


def test_what_the_service_says_of_itself_is_read(client: Client) -> None:
    assert client.health()["status"] == "ok"
    assert "links" in client.root()
    assert client.openapi()["openapi"] == "3.0.3"
    assert "<html" in client.ui()
    assert client.ui_asset("swagger-ui.css")


def test_labels_are_arrays_and_series_where_these_are_wanted() -> None:
    labels = Labels([1, 0, 2])
    assert labels.to_numpy().dtype == np.int32
    assert np.asarray(labels).tolist() == list(labels.to_pandas()) == labels.to_polars().to_list()
    assert labels[1:] == [0, 2]
    dropped = Labels.of_csv("1.0e+00\n\n0.0e+00\n")
    assert dropped == [1, None, 0]
    assert np.isnan(dropped.to_numpy()[1])
    assert dropped.to_pandas().isna().tolist() == [False, True, False]


def test_jobs_are_listed_page_after_page(client: Client) -> None:
    known = {client.upload(CSV, f"{uuid.uuid4()}.csv")["job_id"] for _ in range(5)}
    assert known <= {found["job_id"] for found in client.list_jobs(page=2)}
    newest = next(iter(client.list_jobs(status="UPLOADED", page=1)))
    assert newest["job_id"] == max(known)


def test_a_job_is_named_and_deleted(client: Client) -> None:
    job_id = client.fit_predict(SIX, TWO, filename="named.csv").job_id
    assert job_id is not None
    assert client.rename_job(job_id, name="Visits", clusters={"0": "near"})["name"] == "Visits"
    assert client.get_job(job_id)["clusters"] == {"0": "near"}
    with pytest.raises(problems.Changed):
        client.rename_job(job_id, if_match='"another"', name="Else")
    client.delete_job(job_id)
    with pytest.raises(problems.JobGone) as refused:
        client.get_job(job_id)
    assert refused.value.status == 410
    assert refused.value.request_id


@pytest.mark.parametrize("limit", ["INLINE_BYTES", "PARTS_BYTES"])
def test_a_large_table_takes_another_way_by_itself(
    client: Client, limit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("kmeans_client.client.INLINE_BYTES", 10)
    monkeypatch.setattr("kmeans_client.client." + limit, 10)
    monkeypatch.setattr("kmeans_client.predictions.INLINE_BYTES", 10)
    (tmp_path / f"{limit}.csv").write_bytes(CSV)
    told: list[tuple[int, int]] = []
    job_id = client.upload(tmp_path / f"{limit}.csv", progress=lambda *now: told.append(now))[
        "job_id"
    ]
    assert told[-1] == (len(CSV), len(CSV))
    assert client.fit(job_id, TWO) == [0, 0, 0, 1, 1, 1]
    assert client.predict(job_id, SIX) == [0, 0, 0, 1, 1, 1]
    rows = client.predict_rows(job_id, CSV, outlier_quantile=0.9)
    assert rows.startswith(b"a,b,cluster,")
    assert rows.count(b"\n") == 7
    assert client.transform(job_id, SIX).to_numpy().shape == (6, 2)


def test_an_upload_that_broke_goes_on_where_it_stopped(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"1,2\n10,4\n" * 4_000_000)  # three parts
    send, sent = uploads._send_part, list[int]()

    def breaks(transport: Any, given: Any, part: Any, *rest: Any) -> None:
        if len(sent) == 1:
            raise KeyboardInterrupt
        sent.append(part["part"])
        send(transport, given, part, *rest)

    monkeypatch.setattr(uploads, "_send_part", breaks)
    with pytest.raises(KeyboardInterrupt):
        client.upload(path)
    monkeypatch.setattr(uploads, "_send_part", send)
    begun = next(iter(client.list_jobs()))
    told = list[int]()
    assert (
        client.upload(path, progress=lambda done, _: told.append(done))["job_id"] == begun["job_id"]
    )
    assert told[0] == 16 * 1024**2
    assert client.get_job(begun["job_id"])["n_samples"] == 8_000_000


def test_a_file_that_is_refused_on_arrival_says_why(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kmeans_client.client.INLINE_BYTES", 10)
    with pytest.raises(problems.Problem, match="line 3"):
        client.upload(b"x,y\n1,2\n3\n4,5\n", "uneven.csv")


@pytest.mark.parametrize(
    "data", ["/no/such/file.csv", "/", [[1, 2], [3]], 7, [], object(), [["text"]]]
)
def test_what_is_no_table_is_told_before_anything_is_sent(data: Any) -> None:
    with pytest.raises(problems.InvalidInput):
        table(data)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (np.zeros(3), "one column"),
        (np.zeros((2, 2, 2)), "3 dimensions"),
        (np.zeros((2, 2), dtype=complex), "is no number"),
        (np.zeros((2, 2), dtype="M8[D]"), "is no number"),
        ([[1, [2]], [3, 4]], "is no number"),
        ([[1, 10**5000], [3, 4]], "is no number"),
        (pl.DataFrame({"a": [[1], [2]]}), "cannot be written as CSV"),
        (pl.DataFrame({"a": [1, 2]}).lazy(), "collects"),
    ],
    ids=["1d", "3d", "complex", "dates", "nested", "endless", "lists", "lazy"],
)
def test_what_is_wrong_with_a_table_is_told(data: Any, said: str) -> None:
    with pytest.raises(problems.InvalidInput, match=said):
        table(data)


def test_a_series_is_a_column() -> None:
    assert table(pl.Series("a", [1, 2])).read() == table(pd.Series([1, 2], name="a")).read()


def test_parameters_may_be_numpys(client: Client) -> None:
    params = {"n_clusters": np.int64(2), "init": np.array(TWO["init"]), "tol": np.float64(0)}
    assert client.fit_predict(SIX, params) == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("value", [float("nan"), {1}, object(), 1j], ids=str)
def test_what_json_does_not_have_is_told_before_anything_is_sent(value: Any) -> None:
    nowhere = Client("http://127.0.0.1:1")
    for call in (nowhere.fit_predict, nowhere.fit):
        with pytest.raises(problems.InvalidInput, match="JSON"):
            call(SIX if call == nowhere.fit_predict else 0, {"tol": value})
    with pytest.raises(problems.InvalidInput, match="JSON"):
        nowhere.rename_job(0, name=value)


numbers = st.none() | st.integers(-(10**20), 10**20) | st.floats()
tables = st.lists(st.lists(numbers, max_size=3), max_size=4)


@given(tables, st.integers(-1, 3) | st.text(max_size=3))
def test_no_exception_is_not_of_the_tree(client: Client, rows: Any, n_clusters: Any) -> None:
    with suppress(KMeansError):
        client.fit_predict(rows, {"n_clusters": n_clusters, "max_iter": 5})


@given(st.binary(max_size=60), st.integers(-1, 99_999) | st.text(max_size=3))
def test_no_bytes_raise_anything_else(client: Client, content: bytes, job_id: Any) -> None:
    with suppress(KMeansError):
        client.upload(content)
    with suppress(KMeansError):
        client.predict(job_id, content)
