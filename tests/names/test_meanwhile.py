"""Names that are changed while something else goes on."""

from typing import Any

from harness.api import Client
from harness.limits import held
from harness.naming import rename, shown
from harness.system import item, job, keys, meanwhile
from kmeans_service.lifecycle import names
from kmeans_service.lifecycle.names import names_of


def test_of_two_changes_at_once_none_is_lost(fitted: Client, aws: Any) -> None:
    def other() -> None:
        assert rename(fitted, {"name": "theirs", "clusters": {"1": "b"}}).status == 200

    with meanwhile(aws.dynamodb(), "TransactWriteItems", other):
        assert rename(fitted, {"clusters": {"0": "a"}}).status == 200
    assert shown(fitted) == ("theirs", {"0": "a", "1": "b"})
    assert keys("names/") == [item()["names"]["key"]]


def test_a_change_that_met_another_one_is_held_to_if_match_again(fitted: Client, aws: Any) -> None:
    seen = fitted.get("/kmeans/jobs/0").headers["ETag"]
    with meanwhile(
        aws.dynamodb(), "TransactWriteItems", lambda: rename(fitted, {"clusters": {"1": "b"}})
    ):
        assert rename(fitted, {"clusters": {"1": "mine"}}, If_Match=seen).status == 412
    assert shown(fitted) == (None, {"1": "b"})


def test_a_reader_that_meets_a_change_reads_the_new_names(fitted: Client, aws: Any) -> None:
    rename(fitted, {"clusters": {"0": "a"}})
    read = job()
    rename(fitted, {"clusters": {"0": "b"}})
    names._read.cache_clear()
    assert names_of(read).clusters == {0: "b"}
    assert aws


def test_a_job_that_is_deleted_while_it_is_named_leaves_nothing(fitted: Client, aws: Any) -> None:
    with meanwhile(
        aws.dynamodb(), "TransactWriteItems", lambda: fitted.call("DELETE", "/kmeans/jobs/0")
    ):
        assert rename(fitted, {"clusters": {"0": "a"}}).status == 410
    assert keys() == []
    assert held() == (0, 0)


def test_a_job_that_is_named_while_it_is_deleted_is_counted_out_whole(
    fitted: Client, aws: Any
) -> None:
    with meanwhile(
        aws.dynamodb(), "TransactWriteItems", lambda: rename(fitted, {"clusters": {"0": "a"}})
    ):
        assert fitted.call("DELETE", "/kmeans/jobs/0").status == 204
    assert keys() == []
    assert held() == (0, 0)


def test_a_job_that_is_named_while_its_fit_is_published_keeps_both(
    fitted: Client, aws: Any
) -> None:
    with meanwhile(
        aws.dynamodb(), "TransactWriteItems", lambda: rename(fitted, {"clusters": {"0": "a"}})
    ):
        assert fitted.fit(0, {"n_clusters": 3}).status == 200
    assert shown(fitted) == (None, None)  # it is a cluster of the fit before that was named
    assert len(fitted.get("/kmeans/jobs/0").json()["scores"]["cluster_sizes"]) == 3
    assert fitted.fit(0).status == 200
    assert shown(fitted) == (None, {"0": "a"})
