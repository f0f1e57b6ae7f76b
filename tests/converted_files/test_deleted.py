"""A job that is deleted takes its file and its converted rows along."""

from typing import Any

import pytest

from harness.api import Client
from harness.data.converted import LINES, arrives, uploaded
from harness.system import (
    counted,
    keys,
    meanwhile,
)
from worker import conversion


def test_a_job_that_is_deleted_while_its_file_is_converted_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = conversion.convert

    def delete_first(*arguments: Any) -> conversion.Converted:
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
        return convert(*arguments)

    def delete_afterwards(*arguments: Any) -> conversion.Converted:
        converted = convert(*arguments)
        assert client.call("DELETE", "/kmeans/jobs/1").status == 204
        return converted

    uploaded(client, LINES, "a.jsonl")
    monkeypatch.setattr(conversion, "convert", delete_first)
    arrives(0)
    uploaded(client, LINES, "b.jsonl")
    monkeypatch.setattr(conversion, "convert", delete_afterwards)
    arrives(1)
    assert (keys(), counted()) == ([], 0)


def test_a_deletion_that_meets_the_arrival_counts_out_all_that_came(
    client: Client, aws: Any
) -> None:
    uploaded(client, LINES, "points.jsonl")
    with meanwhile(aws.dynamodb(), "TransactWriteItems", arrives):
        assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert (keys(), counted()) == ([], 0)


def test_a_deleted_job_takes_the_file_and_its_rows_along(client: Client) -> None:
    uploaded(client, LINES, "points.jsonl")
    arrives()
    client.fit(0, {"n_clusters": 2})
    client.call("DELETE", "/kmeans/jobs/0")
    assert (keys(), counted()) == ([], 0)
