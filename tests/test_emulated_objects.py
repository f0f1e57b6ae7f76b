"""What the emulator's S3 answers otherwise than AWS, and is made to answer alike."""

from typing import Any

import pytest
from ministack.services import s3  # type: ignore[import-untyped]

from local import objects

BODY = b"0123456789"
ABOUT, CHECKSUM = {"ETag": '"e"'}, {"x-amz-checksum-crc32": "of all of it"}


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A GET of a version, which MiniStack answers with all of it."""
    monkeypatch.setattr(s3, "_get_object", lambda *_: (200, ABOUT | CHECKSUM, BODY))
    objects.answer_ranges_of_versions()
    return lambda **headers: s3._get_object("bucket", "key", headers, {"versionId": ["v"]})


def test_a_range_of_a_version_is_that_range(answered: Any) -> None:
    status, headers, body = answered(range="bytes=2-5")
    assert (status, body) == (206, b"2345")
    assert headers == ABOUT | {"Content-Length": "4", "Content-Range": "bytes 2-5/10"}
    assert answered(range="bytes=7-99")[2] == b"789"


def test_without_a_range_it_is_all_of_it_and_behind_its_end_there_is_nothing(answered: Any) -> None:
    assert answered() == (200, ABOUT | CHECKSUM, BODY)
    assert answered(range="bytes=10-12")[0] == 416
