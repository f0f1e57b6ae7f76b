"""PATCH /kmeans/jobs/{job_id}: an owner names a job and its clusters."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import pytest

from harness.api import ASYNC, Client
from harness.limits import held
from harness.naming import rename, shown
from harness.system import OWNER, item, items, job, keys
from kmeans_service import config
from kmeans_service.lifecycle import names
from kmeans_service.lifecycle.names import Names, names_of
from kmeans_service.storage import data_bucket
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import writes
from kmeans_service.table.expressions import THERE, sets
from kmeans_service.table.keys import job_key


def test_names_are_answered_and_shown_by_the_job(fitted: Client) -> None:
    named = {"name": "Customers, November", "clusters": {"0": "Rentnerinnen 👵", "1": "<b>"}}
    answer = rename(fitted, named)
    assert answer.status == 200
    view = answer.json()
    assert {"name": view["name"], "clusters": view["clusters"]} == named
    read = fitted.get("/kmeans/jobs/0")
    assert read.body == answer.body
    assert read.headers["ETag"] == answer.headers["ETag"]


def test_the_list_has_the_jobs_name_and_not_the_clusters(fitted: Client) -> None:
    rename(fitted, {"name": "mine", "clusters": {"0": "few"}})
    [view] = fitted.get("/kmeans/jobs").json()["jobs"]
    assert view["name"] == "mine"
    assert "clusters" not in view


def test_what_is_not_mentioned_stays_and_null_removes(fitted: Client) -> None:
    rename(fitted, {"name": "mine", "clusters": {"0": "a", "1": "b"}})
    rename(fitted, {"clusters": {"1": "c"}})
    assert shown(fitted) == ("mine", {"0": "a", "1": "c"})
    rename(fitted, {"name": None, "clusters": {"0": None}})
    assert shown(fitted) == (None, {"1": "c"})
    rename(fitted, {"clusters": None})
    assert shown(fitted) == (None, None)
    assert rename(fitted, {}).status == 200
    assert rename(fitted, {"name": None, "clusters": {"1": None}}).status == 200


def test_nothing_is_written_where_nothing_changes(fitted: Client) -> None:
    rename(fitted, {"clusters": {"0": "a"}})
    before = item()
    rename(fitted, {"name": None, "clusters": {"0": "a", "1": None}})
    assert item() == before


def test_a_job_without_a_model_can_be_named_and_its_clusters_cannot(client: Client) -> None:
    client.upload()
    assert rename(client, {"name": "raw"}).status == 200
    answer = rename(client, {"clusters": {"0": "a"}})
    assert answer.status == 409
    assert "POST /kmeans/fit" in answer.json()["detail"]
    assert shown(client) == ("raw", None)


@pytest.mark.parametrize(
    ("value", "field", "words"),
    [
        ([], None, "an object"),
        ({"names": {}}, "names", "allowed are name, clusters"),
        ({"name": ""}, "name", "1 to 100 characters"),
        ({"name": "x" * 101}, "name", "has 101 characters; allowed is a text of 1 to 100"),
        ({"name": 3}, "name", "name is 3; allowed is a text"),
        ({"name": "two\nlines"}, "name", r"'\n' as its character 4"),
        ({"name": "a\x7f"}, "name", r"'\x7f' as its character 2"),
        ({"name": "a\u2028"}, "name", r"'\u2028' as its character 2"),
        ({"name": "\ud800"}, "name", r"'\ud800' as its character 1"),
        ({"clusters": "a"}, "clusters", "an object of names"),
        ({"clusters": {"2": "a"}}, "clusters.2", "has the number 2; allowed are those"),
        ({"clusters": {"01": "a"}}, "clusters.01", "'01'"),
        ({"clusters": {"-1": None}}, "clusters.-1", "'-1'"),
        ({"clusters": {"9" * 5000: "a"}}, "clusters." + "9" * 100, "numbers of the job"),
        ({"clusters": {"0": ["a"]}}, "clusters.0", '["a"]'),
        ({"clusters": {"0": "a\tb"}}, "clusters.0", r"'\t' as its character 2"),
    ],
)
def test_a_bad_name_is_refused_and_nothing_changed(
    fitted: Client, value: Any, field: str | None, words: str
) -> None:
    rename(fitted, {"name": "mine", "clusters": {"1": "b"}})
    answer = rename(fitted, value)
    assert answer.status == 422
    problem = answer.json()
    assert problem.get("field") == field
    assert words in problem["detail"]
    assert shown(fitted) == ("mine", {"1": "b"})


def test_a_hundred_characters_of_any_script_are_a_name(fitted: Client) -> None:
    name = "名" * 99 + "👨‍👩‍👧"[:1]
    assert rename(fitted, {"name": name, "clusters": {"0": name}}).status == 200
    assert shown(fitted) == (name, {"0": name})


def test_the_names_of_a_job_have_32_kb(client: Client) -> None:
    client.upload(b"".join(b"%d\n" % number for number in range(200)))
    client.fit(0, {"n_clusters": 200})
    long = {str(number): "ä" * 100 for number in range(200)}
    answer = rename(client, {"name": "mine", "clusters": long})
    assert answer.status == 413
    assert answer.json()["max_bytes"] == 32_768
    assert shown(client) == (None, None)
    assert rename(client, {"clusters": dict(list(long.items())[:150])}).status == 200


def test_clusters_of_a_fit_that_continues_none_have_no_names_of_an_earlier_one(
    fitted: Client,
) -> None:
    rename(fitted, {"name": "mine", "clusters": {"0": "a", "1": "b"}})
    assert fitted.fit(0, {"n_clusters": 3}).status == 200
    assert shown(fitted) == ("mine", None)
    warnings = fitted.get("/kmeans/jobs/0").json()["warnings"]
    assert "named in an earlier fit" in warnings[-1]
    assert fitted.get("/kmeans/jobs/0/clusters").json()["clusters"][0]["name"] is None
    assert rename(fitted, {"name": "still mine"}).status == 200
    assert rename(fitted, {"clusters": {"2": "c"}}).status == 200
    assert shown(fitted) == ("still mine", {"2": "c"})
    assert "named in an earlier" not in str(fitted.get("/kmeans/jobs/0").json())


def test_the_earlier_fit_has_its_names_again_and_an_aligned_one_carries_them_on(
    fitted: Client,
) -> None:
    swap = {"n_clusters": 2, "algorithm": "swap"}
    fitted.fit(0, swap)
    rename(fitted, {"clusters": {"0": "a", "1": "b"}})
    fitted.fit(0, {"n_clusters": 3})
    rename(fitted, {"clusters": {"2": "c"}})
    fitted.fit(0, swap)
    assert shown(fitted) == (None, {"0": "a", "1": "b"})
    aligned = {"job_id": 0, "model_params": swap | {"n_clusters": 1}, "align_to": 0}
    assert fitted.post_json("/kmeans/fit", aligned).status == 200
    assert shown(fitted) == (None, {"0": "a", "1": "b"})
    assert rename(fitted, {"clusters": {"1": None}}).status == 200  # of a cluster that was
    assert rename(fitted, {"clusters": None}).status == 200
    fitted.fit(0, {"n_clusters": 3})
    assert shown(fitted) == (None, None)  # null forgets those of every fit


def test_names_that_a_version_stored_which_knew_no_lines_of_fits_go_on_as_they_did(
    fitted: Client,
) -> None:
    rename(fitted, {"clusters": {"0": "a"}})
    key = job().names.key + "-old"  # type: ignore[union-attr]
    text = b'{"clusters": {"0": "a"}}'
    data_bucket().put(key, text, "application/json")
    change = sets(names=asdict(StoredObject(key, hashlib.sha256(text).hexdigest(), len(text))))
    writes.update(job_key(OWNER, 0), change, THERE)
    fitted.fit(0, {"n_clusters": 3})
    assert shown(fitted) == (None, {"0": "a"})
    rename(fitted, {"clusters": {"1": "b"}})
    assert shown(fitted) == (None, {"0": "a", "1": "b"})
    fitted.fit(0, {"n_clusters": 2})
    assert shown(fitted) == (None, None)


def test_a_job_is_named_while_a_fit_of_it_runs(fitted: Client) -> None:
    fitted.fit(0, {"n_clusters": 3}, **ASYNC)
    assert rename(fitted, {"clusters": {"1": "b"}}).json()["status"] == "QUEUED"


def test_if_match_lets_nobody_undo_what_they_have_not_seen(fitted: Client) -> None:
    seen = fitted.get("/kmeans/jobs/0").headers["ETag"]
    assert rename(fitted, {"name": "first"}, If_Match=seen).status == 200
    answer = rename(fitted, {"name": "second"}, If_Match=seen)
    assert answer.status == 412
    assert shown(fitted) == ("first", None)
    seen = fitted.get("/kmeans/jobs/0").headers["ETag"]
    assert rename(fitted, {"name": "second"}, If_Match=f'"other", {seen}').status == 200
    assert rename(fitted, {"name": "third"}, If_Match="*").status == 200


def test_names_have_a_version_that_says_whether_they_are_the_same(fitted: Client) -> None:
    assert names_of(job()) == Names()
    assert names_of(job()).version == ""
    rename(fitted, {"clusters": {"1": "b", "0": "a"}})
    first = names_of(job())
    assert first == Names("", {0: "a", 1: "b"})
    rename(fitted, {"clusters": {"1": "c"}})
    second = names_of(job()).version
    rename(fitted, {"clusters": {"1": "b"}})
    assert names_of(job()).version == first.version
    assert len({"", first.version, second}) == 3


# --- what is stored -------------------------------------------------------------------


def test_names_are_counted_as_their_owners_and_one_object_of_them_is_kept(fitted: Client) -> None:
    before = held()
    rename(fitted, {"clusters": {"0": "a"}})
    rename(fitted, {"clusters": {"0": "alpha", "1": "b"}})
    stored = item()["names"]
    assert keys("names/") == [stored["key"]]
    assert held() == (1, before[1] + stored["size"])
    rename(fitted, {"clusters": None})
    assert held() == before
    assert keys("names/") == []


def test_names_go_with_their_job(fitted: Client) -> None:
    rename(fitted, {"name": "secret", "clusters": {"0": "secret"}})
    assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == []
    assert held() == (0, 0)
    assert "secret" not in json.dumps(items(), default=str)
    assert rename(fitted, {"name": "again"}).status == 410


def test_names_that_the_bucket_lost_are_told_of_and_can_be_given_anew(
    fitted: Client, aws: Any
) -> None:
    rename(fitted, {"clusters": {"0": "a"}})
    aws.s3().delete_object(Bucket=config.settings().data_bucket, Key=item()["names"]["key"])
    names._read.cache_clear()
    for answer in (fitted.get("/kmeans/jobs/0"), rename(fitted, {"clusters": {"1": "b"}})):
        assert answer.status == 410
        assert "PATCH /kmeans/jobs/{job_id}" in answer.json()["detail"]
    assert rename(fitted, {"clusters": None}).status == 200
    assert rename(fitted, {"clusters": {"1": "b"}}).status == 200


# --- meanwhile ------------------------------------------------------------------------
