"""Where things lie in the bucket, and what is read back of their keys."""

import re
from pathlib import Path

import pytest

from kmeans_service import keys
from kmeans_service.keys import Awaited, Dropped

PROJECT = Path(__file__).parent.parent
NAME = "0123456789abcdef0123456789abcdef"


def test_each_kind_of_object_has_its_place() -> None:
    assert re.fullmatch(r"inputs/alice/[0-9a-f-]{36}\.csv", keys.new_input("alice"))
    assert keys.awaited_input("alice", 7) == "pending/alice/7/input.csv"
    assert keys.awaited_points("alice", 7, NAME) == f"pending/alice/7/predictions/{NAME}.csv"
    assert keys.attempt("alice", 7, "f1", 3) == "models/alice/7/f1/3/"
    assert keys.result("alice", 7, NAME, 2) == f"results/alice/7/{NAME}/2.csv"
    assert keys.all_of_job("alice", 7) == [
        "pending/alice/7/",
        "models/alice/7/",
        "results/alice/7/",
        "names/alice/7/",
    ]
    assert re.fullmatch("names/alice/7/[0-9a-f]{32}[.]json", keys.new_names("alice", 7))


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("incoming/alice/points.csv", Dropped("alice", "points.csv")),
        ("incoming/alice/a folder/another/p.csv", Dropped("alice", "p.csv")),
        ("incoming/alice/a\nb.csv", Dropped("alice", "a\nb.csv")),
        ("datasets/alice/nightly/_SUCCESS", Dropped("alice", "nightly", is_dataset=True)),
        ("datasets/alice/a/b=1/_SUCCESS", Dropped("alice", "a/b=1", is_dataset=True)),
        (keys.awaited_input("alice", 7), Awaited("alice", 7, None)),
        (keys.awaited_points("alice", 7, NAME), Awaited("alice", 7, NAME)),
        ("pending/alice/7/else.csv", Awaited("alice", 7, "else")),
        ("pending/alice/7//", Awaited("alice", 7, "")),
    ],
)
def test_what_arrives_is_known_by_its_key(key: str, found: Dropped | Awaited) -> None:
    assert keys.arrived(key) == found


@pytest.mark.parametrize(
    "key",
    [
        "incoming/points.csv",  # nobody's
        "incoming/alice/",
        "incoming/älice/points.csv",
        f"incoming/{'a' * 65}/points.csv",
        "pending/alice/x/input.csv",
        "pending/alice/12345678901/input.csv",
        "pending/alice/7/",
        "datasets/alice/_SUCCESS",
        "datasets/alice/nightly/part-0.csv",
        "datasets/alice/nightly/not_SUCCESS",
        "datasets/alice/nightly/_temporary/0/_SUCCESS",
        "datasets/alice/.hidden/_SUCCESS",
        "datasets/alice//_SUCCESS",
        "inputs/alice/points.csv",
        "models/alice/7/f1/3/labels.csv",
    ],
)
def test_what_is_nobodys_or_no_arrival_is_known_too(key: str) -> None:
    assert keys.arrived(key) is None


def test_an_object_of_a_model_tells_the_fence_of_its_attempt_and_nothing_else_does() -> None:
    assert keys.fence_of(f"{keys.attempt('alice', 7, 'f1', 12)}labels.csv") == 12
    for other in (f"{keys.fit('alice', 7, 'f1')}init-1.json", keys.awaited_input("alice", 7)):
        assert keys.fence_of(other) is None


def test_what_is_kept_of_a_file_lies_in_one_place_for_each_version_and_content_of_it() -> None:
    first, again, other, changed = (
        keys.beside_input("alice", "incoming/alice/p.csv", version, digest)
        for version, digest in ("ax", "ax", "bx", "ay")
    )
    assert first == again
    assert len({first, other, changed}) == 3
    assert re.fullmatch(r"inputs/alice/[0-9a-f]{32}", first)


def test_the_template_and_the_documentation_know_the_same_folders() -> None:
    folders = {
        keys.INPUTS,
        keys.INCOMING,
        keys.PENDING,
        keys.MODELS,
        keys.RESULTS,
        keys.NAMES,
        keys.DATASETS,
        keys.ENGINE,
    }
    allowed = re.findall(r"\$\{DataBucket\.Arn\}/(\w+)/\*", (PROJECT / "template.yaml").read_text())
    assert set(allowed) == folders
    page = (PROJECT / "docs/architecture.md").read_text().partition("## The bucket")[2]
    assert set(re.findall(r"^\| `(\w+)/", page.partition("\n## ")[0], re.M)) == folders
