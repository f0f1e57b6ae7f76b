"""What the limits are, and how a deployment chooses them."""

import re
from dataclasses import fields

import pytest

from harness import PROJECT
from harness.limits import Set, parameter
from harness.template.reading import functions, source, statements, transformed
from kmeans_service import config
from kmeans_service.config import Limits


def test_the_templates_defaults_are_those_of_the_code_and_none_can_be_below_one() -> None:
    declared = source()["Parameters"]
    for field in fields(Limits):
        stated = declared[parameter(field.name)]
        assert int(stated["Default"]) == field.default, field.name
        assert stated["Type"] == "Number"
        assert stated["MinValue"] >= 1


def test_every_function_is_told_every_limit() -> None:
    for name in functions():
        variables = transformed()["Resources"][name]["Properties"]["Environment"]["Variables"]
        for field in fields(Limits):
            told = variables[f"MAX_{field.name.upper()}"]
            assert told == {"Ref": parameter(field.name)}, (name, field.name)
        # Lambda's own limit is 4 KB, names included; a limit has 20 digits, the others no more than
        # an ARN.
        longest = {name: 20 if name.startswith("MAX_") else 120 for name in variables}
        assert sum(len(name) + most for name, most in longest.items()) < 4096


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        ("UploadFunction", {"UpdateItem", "Query"}),
        ("FitFunction", {"UpdateItem", "Query"}),
        ("FitWorkerFunction", {"UpdateItem", "Query"}),
        ("PredictFunction", {"UpdateItem"}),
        ("JobsFunction", {"UpdateItem", "Query"}),
    ],
)
def test_who_counts_may_read_and_write_counters_of_owners_alone(
    function: str, actions: set[str]
) -> None:
    allowed: set[str] = set()
    for statement in statements(function):
        if statement.get("Condition", {}).get("ForAllValues:StringLike") == {
            "dynamodb:LeadingKeys": ["O#*"]
        }:
            allowed |= {action.removeprefix("dynamodb:") for action in statement["Action"]}
    assert actions <= allowed


def test_what_a_fit_without_parameters_needs_is_always_allowed() -> None:
    declared = source()["Parameters"]
    assert declared["MaxClusters"]["MinValue"] == 2
    assert declared["MaxNInit"]["MinValue"] == 10  # "auto" with random centers
    assert declared["MaxIterations"]["MinValue"] == 300


def test_a_limit_that_is_missing_or_empty_is_its_default(limit: Set) -> None:
    limit(jobs="", rows=7)
    assert config.limits() == Limits(rows=7, requests_per_minute=1_000_000)


def test_a_large_number_is_understood_as_cloudformation_may_write_it(limit: Set) -> None:
    limit(file_bytes="5.36870912E9")
    assert config.limits().file_bytes == 5 * 1024**3


@pytest.mark.parametrize("number", [0, -1])
def test_a_limit_cannot_be_switched_off(limit: Set, number: int) -> None:
    limit(jobs=number)
    with pytest.raises(ValueError, match=f"MAX_JOBS is {number}; it should be 1 or more"):
        config.limits()


def test_the_documentation_has_every_limit_with_its_default_and_a_test_that_is_there() -> None:
    page = (PROJECT / "docs/limits.md").read_text()
    rows = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[2].startswith("`"):
            rows[cells[2].strip("`")] = cells
    declared = source()["Parameters"]
    for name, cells in rows.items():
        assert int(cells[1].split(" ")[0].replace(",", "")) == int(declared[name]["Default"]), name
    assert rows.keys() >= {parameter(field.name) for field in fields(Limits)}
    for path, name in re.findall(r"`([\w/]*test_\w+\.py)::(\w+)`", page):
        assert f"def {name}(" in (PROJECT / "tests" / path).read_text(), name


def test_the_documentation_has_the_limits_that_nobody_chooses() -> None:
    page = (PROJECT / "docs/limits.md").read_text().partition("## What is not for a")[2]
    rows = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|", page.partition("\n## ")[0], re.M))
    assert rows["a body"].startswith(f"{config.MAX_INLINE_BYTES / 1e6} MB in a function")
    assert rows["an answer"].startswith(f"{config.MAX_ANSWER_BYTES / 1e6} MB")
    assert rows["a header row"].startswith(f"{config.MAX_HEADER_BYTES // 1024} KiB")
    assert rows["a number"] == f"magnitude {config.MAX_MAGNITUDE:.0e}".replace("+", "")
    assert rows["a file name"] == f"{config.MAX_FILENAME_LENGTH:,} characters"
    assert rows["numbers in `init`"] == f"{config.MAX_INIT_NUMBERS:,}"
    assert rows["a fit within its request"].startswith(f"{config.SYNCHRONOUS_SECONDS:.0f} seconds")


def test_the_page_on_deploying_has_the_templates_defaults() -> None:
    page = (PROJECT / "docs/how-to/deploy.md").read_text().partition("Those worth knowing")[2]
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", page.partition("\n## ")[0], re.M)
    shown = {
        name: default
        for names, defaults in rows
        for name, default in zip(names.split(", "), defaults.split(", "), strict=True)
    }
    declared = source()["Parameters"]
    assert {"`WorkerMemory`", "`WorkerConcurrency`", "`MaxJobs`"} <= shown.keys()
    for name, default in shown.items():
        stated = str(declared[name.strip("`")]["Default"])
        assert default == (f"`{stated}`" if stated else "none"), name


def test_what_a_function_is_not_told_is_the_templates_default() -> None:
    declared = source()["Parameters"]
    chosen = config.settings()
    assert chosen.worker_memory_bytes == declared["WorkerMemory"]["Default"] * 1024**2
    assert chosen.workers == declared["WorkerConcurrency"]["Default"]
    assert chosen.job_expiry_days == declared["JobExpiryDays"]["Default"]
