"""How many bytes an owner may keep."""

from functools import partial

import pytest

from harness.api import FORM_TYPE, MODEL_CSV, Client, csv, form
from harness.limits import DROPPED, Set, held, refused
from harness.output import Output
from harness.presigned import post, predict, reserve
from harness.system import created, deliver, drop, items, job, keys, put
from harness.timing import at_once


def test_one_byte_too_many_is_refused_and_says_how_to_make_room(client: Client, limit: Set) -> None:
    limit(stored_bytes=2 * len(MODEL_CSV))
    client.upload(filename="a.csv")
    problem = refused(
        client.upload(MODEL_CSV + b"\n", "b.csv"), 413, "storage-full", "have 33 bytes; 34 more"
    )
    assert (problem["stored_bytes"], problem["max_stored_bytes"]) == (33, 66)
    assert client.upload(filename="b.csv").status == 200
    assert client.upload(b"1\n2\n").status == 413
    assert client.post_json("/kmeans/uploads", {"filename": "c.csv"}).status == 413
    parts = form(("file", "f.csv", b"1\n2\n"))
    assert client.call("POST", "/kmeans/fit_predict", parts, FORM_TYPE).status == 413
    client.call("DELETE", "/kmeans/jobs/0")
    assert client.upload(b"1\n2\n").status == 200
    assert held() == (2, len(MODEL_CSV) + 4)


@pytest.mark.thorough
def test_of_20_uploads_at_once_as_many_get_in_as_there_is_room_for(
    client: Client, limit: Set
) -> None:
    limit(stored_bytes=3 * 39 + 38)
    answers = at_once([partial(client.upload, csv(10 + n), f"{n}.csv") for n in range(20)])
    assert sorted(answer.status for answer in answers) == [200] * 3 + [413] * 17
    assert held() == (3, 3 * 39)
    assert len(keys()) == 3


def test_a_presigned_form_takes_no_more_than_there_is_room_for(client: Client, limit: Set) -> None:
    limit(stored_bytes=100)
    client.upload()
    assert reserve(client)["max_bytes"] == 100 - len(MODEL_CSV)


def test_a_file_that_comes_when_the_room_is_gone_fails_its_job_and_is_removed(
    client: Client, limit: Set
) -> None:
    limit(stored_bytes=50)
    one, other = reserve(client, model_params={}), reserve(client, model_params={})
    first, second = post(one, MODEL_CSV), post(other, MODEL_CSV)
    assert deliver(first, second, second) == 0
    views = [client.get(f"/kmeans/jobs/{n}").json() for n in (0, 1)]
    assert [view["status"] for view in views] == ["SUCCEEDED", "FAILED"]
    assert views[1]["error"]["type"] == "urn:kmeans-service:problem:storage-full"
    assert keys("pending/") == ["pending/tester/0/input.csv"]
    assert held() == (2, job().stored_bytes)


def test_a_second_file_for_the_same_form_is_removed(client: Client) -> None:
    key = reserve(client)["fields"]["key"]
    first, second = created(key, put(key, MODEL_CSV)), created(key, put(key, csv(1)))
    assert deliver(first, second, second, first) == 0
    assert keys("pending/") == ["pending/tester/0/input.csv"]
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert held() == (1, 33)


def test_a_refused_file_is_removed(client: Client) -> None:
    arrived = post(reserve(client), b"bad\nfile\n")
    assert deliver(arrived, arrived) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "FAILED"
    assert keys() == []


def test_points_are_removed_once_they_are_predicted(client: Client) -> None:
    client.upload()
    client.fit(0)
    _, arrived = predict(client, MODEL_CSV)
    assert deliver(arrived, arrived) == 0
    assert keys("pending/") == []
    assert len(keys("results/")) == 1


def test_a_dropped_file_without_room_for_its_bytes_is_a_failed_job_that_says_so(
    client: Client,
    limit: Set,
    output: Output,
) -> None:
    limit(stored_bytes=40)
    client.upload()
    event = drop(DROPPED, csv(1))
    output.text()
    assert deliver(event, event) == 0
    said = output.log.getvalue()
    assert output.metrics()["FilesTurnedAway"] == (([1.0]), "Count")
    assert "turned a file away" in said
    assert "points.csv" not in said
    view = client.get("/kmeans/jobs/1").json()
    assert (view["status"], view["error"]["status"]) == ("FAILED", 413)
    assert keys("incoming/") == [DROPPED]
    assert held() == (2, 33)


def test_a_dropped_file_without_room_for_its_job_is_logged_and_counted(
    client: Client,
    limit: Set,
    output: Output,
) -> None:
    limit(jobs=1)
    client.upload()
    event = drop(DROPPED, csv(1))
    output.text()
    assert deliver(event) == 0
    assert output.metrics()["FilesTurnedAway"] == ([1.0], "Count")
    assert len(items()) == 1
    assert keys("incoming/") == [DROPPED]
    client.call("DELETE", "/kmeans/jobs/0")
    assert deliver(event) == 0  # once is once: the file is put there again to be taken
    assert len(items()) == 1
    assert deliver(drop(DROPPED, csv(1))) == 0
    assert job(1).status == "SUCCEEDED"
