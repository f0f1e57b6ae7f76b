"""Versions are listed without copies of what they hold: moto marks the latest in copies."""

from typing import Any

from moto.s3.models import FakeKey


def as_listed(versions: list[Any]) -> list[Any]:
    return [_twin(version) for version in versions]


def _twin(version: Any) -> Any:
    twin = object.__new__(type(version))
    if isinstance(version, FakeKey):
        _ = version.etag  # which is kept from now on, as the twin has no bytes to make it of
    twin.__dict__.update(version.__dict__)
    if isinstance(version, FakeKey):
        # What a key holds is closed when the key is forgotten.
        twin.__dict__.update(_value_buffer=None, multipart=None, disposed=True)
    return twin
