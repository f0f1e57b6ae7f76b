"""A file and a fit at each limit are taken; one more is refused in clear words."""

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Answer, Client, form
from harness.limits import DROPPED, Set, held, refused
from harness.presigned import reserve
from harness.system import deliver, drop


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "most", "fits", "over", "status", "words"),
    [
        ("file_bytes", 12, b"1,2\n3,4\n5,6\n", b"1,2\n3,4\n5,67\n", 413, "13 bytes; at most 12"),
        ("rows", 3, b"x\n1\n2\n3\n", b"1\n2\n3\n4\n", 413, "more than the 3 rows"),
        ("columns", 3, b"1,2,3", b"1,2,3,4", 413, "more than the 3 cells"),
        ("line_length", 5, b"1,2,3", b"1,2,3\n1,2,34\n", 413, "line 2 is longer than the 5 bytes"),
        ("cell_length", 140, b"1." + b"5" * 138, b"1." + b"5" * 139, 413, "the 140 characters"),
    ],
)
@pytest.mark.parametrize("path", ["/kmeans/upload", "/kmeans/fit_predict", "/kmeans/predict"])
def test_a_file_at_a_limit_is_taken_and_one_beyond_it_is_refused(
    client: Client,
    limit: Set,
    path: str,
    name: str,
    most: int,
    fits: bytes,
    over: bytes,
    status: int,
    words: str,
) -> None:
    width = fits.split(b"\n")[-2:][0].count(b",") + 1
    model = b"\n".join([b",".join([b"%d" % n] * width) for n in range(3)])
    client.upload(model)
    client.fit(0)
    limit(**{name: most})

    def send(content: bytes) -> Answer:
        more = {
            "/kmeans/upload": [],
            "/kmeans/fit_predict": [("model_params", None, b'{"n_clusters": 1}')],
            "/kmeans/predict": [("job_id", None, b"0")],
        }
        body = form(*more[path], ("file", "f.csv", content))
        return client.call("POST", path, body, FORM_TYPE)

    assert send(fits).status == 200
    refused(send(over), status, "too-large", words)


def test_a_presigned_form_takes_no_more_than_a_file_may_have(client: Client, limit: Set) -> None:
    limit(file_bytes=1000)
    reserved = reserve(client)
    assert reserved["max_bytes"] == 1000
    client.upload()
    client.fit(1)
    assert client.post_json("/kmeans/predictions", {"job_id": 1}).json()["max_bytes"] == 1000


def test_a_dropped_file_beyond_a_limit_is_a_failed_job_that_says_why(
    client: Client, limit: Set
) -> None:
    limit(file_bytes=len(MODEL_CSV) - 1)
    event = drop(DROPPED, MODEL_CSV)
    assert deliver(event, event) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["status"]) == ("FAILED", 413)
    assert "33 bytes; at most 32 are taken" in view["error"]["detail"]
    assert held() == (1, 0)


@pytest.mark.parametrize(
    ("name", "most", "parameter"),
    [("clusters", 3, "n_clusters"), ("n_init", 2, "n_init"), ("iterations", 400, "max_iter")],
)
def test_a_parameter_at_its_limit_is_taken_and_one_beyond_it_is_refused(
    client: Client, limit: Set, name: str, most: int, parameter: str
) -> None:
    limit(**{name: most})
    client.upload()
    assert client.fit(0, {parameter: most}).status == 200
    answer = client.fit(0, {parameter: most + 1})
    refused(answer, 422, "invalid-parameter", f"{most + 1}; allowed is", f"from 1 to {most}")


def test_the_work_counts_rows_columns_clusters_restarts_and_iterations(
    client: Client, limit: Set
) -> None:
    limit(work=6 * 2 * 3 * 4 * 50)
    client.upload()
    params = {"n_clusters": 3, "n_init": 4, "max_iter": 50}
    assert client.fit(0, params).status == 200
    for name, value in params.items():
        answer = client.fit(0, params | {name: value + 1})
        refused(answer, 422, "invalid-parameter", "at most 7,200 is taken", "Lower n_clusters")


@pytest.mark.thorough
def test_a_form_takes_no_more_than_s3_does_however_large_files_may_be(
    client: Client, limit: Set
) -> None:
    limit(file_bytes=50 * 1024**3, stored_bytes=100 * 1024**3)
    one_piece = client.post_json("/kmeans/uploads", {"filename": "large.csv"})
    assert one_piece.json()["max_bytes"] == 5 * 1024**3
    asked = {"filename": "larger.csv", "parts": True, "size": 50 * 1024**3}
    in_parts = client.post_json("/kmeans/uploads", asked)
    assert (in_parts.status, in_parts.json()["size"]) == (201, 50 * 1024**3)
    asked["size"] += 1
    assert client.post_json("/kmeans/uploads", asked).status == 413
