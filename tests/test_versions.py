"""What was there when a mark was written, by what S3 lists of all versions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kmeans_service import versions
from kmeans_service.storage import ObjectMissing

MARK = "d/_SUCCESS"
START = datetime(2026, 11, 28, tzinfo=UTC)


def written(key: str, second: int, version_id: str, *, last: bool = True) -> Any:
    each = {"Key": key, "VersionId": version_id, "Size": len(version_id), "ETag": '"e"'}
    return START + timedelta(seconds=second), last, each


def deleted(key: str, second: int, *, last: bool = True) -> Any:
    return START + timedelta(seconds=second), last, {"Key": key, "VersionId": "marker"}


def found(monkeypatch: pytest.MonkeyPatch, *listed: Any, mark: str | None = "m") -> list[str]:
    monkeypatch.setattr(versions, "_listed", lambda _prefix: iter(listed))
    there = versions.as_of("d/", MARK, mark)
    return [f"{each.key}@{each.version_id}" for each in there]


def test_what_is_written_later_is_not_there_and_what_was_replaced_later_is_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = (
        written(MARK, 5, "m"),
        written("d/b", 9, "b2"),
        written("d/b", 2, "b1", last=False),
        written("d/c", 6, "c1"),
        written("d/a", 3, "a1"),
    )
    assert found(monkeypatch, *listed) == ["d/a@a1", "d/b@b1"]


def test_what_was_deleted_is_not_there_unless_that_was_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed = (
        written(MARK, 5, "m"),
        written("d/a", 1, "a1", last=False),
        deleted("d/a", 4),
        written("d/b", 1, "b1", last=False),
        deleted("d/b", 6),
    )
    assert found(monkeypatch, *listed) == ["d/b@b1"]


def test_of_two_in_one_second_the_last_one_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 lists the newest version of a key first, and tells times in seconds."""
    mark = written(MARK, 5, "m")
    again = (written("d/a", 5, "a3"), written("d/a", 5, "a2", last=False))
    assert found(monkeypatch, mark, *again) == ["d/a@a3"]
    later = written("d/a", 7, "a4")
    before = (written("d/a", 5, "a3", last=False), written("d/a", 5, "a2", last=False))
    assert found(monkeypatch, mark, later, *before) == ["d/a@a3"]


def test_an_older_version_of_the_mark_means_what_was_there_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    marks = (written(MARK, 9, "m2"), written(MARK, 3, "m", last=False))
    files = (written("d/a", 1, "a1"), written("d/b", 5, "b1"))
    assert found(monkeypatch, *marks, *files) == ["d/a@a1"]
    assert found(monkeypatch, *marks, *files, mark="m2") == ["d/a@a1", "d/b@b1"]
    with pytest.raises(ObjectMissing):
        found(monkeypatch, *marks, mark="gone")


def test_keys_are_in_the_order_of_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["d/part-10", "d/part-9", "d/ü", "d/z", "d/\U0001f600"]
    files = [written(name, 1, "v") for name in reversed(names)]
    there = found(monkeypatch, written(MARK, 2, "m"), *files)
    expected = sorted(names, key=lambda name: name.encode())
    assert there == [f"{name}@v" for name in expected]


def test_a_bucket_without_versions_has_the_last_ones_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = (written(MARK, 2, "null"), written("d/a", 1, "null"))
    assert found(monkeypatch, *files, mark=None) == ["d/a@None"]
