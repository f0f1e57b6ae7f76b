"""What the operator chooses is what the functions go by."""

import re
from dataclasses import fields
from typing import Any

import pytest

from harness import PROJECT
from harness.template.reading import functions, parameters, properties, resolved
from kmeans_service import config

# Variables that libraries read, and why they are set; whatever else is set, our code reads.
OF_LIBRARIES = {
    "POWERTOOLS_SERVICE_NAME": "of the metrics",
    "POWERTOOLS_METRICS_NAMESPACE": "of the metrics",
    "OMP_NUM_THREADS": "one, or a forked child hangs, and sums differ in their last bits",
    "OPENBLAS_THREAD_TIMEOUT": "idle threads sleep",
    "MALLOC_MMAP_THRESHOLD_": "memory is kept for the next call",
    "MALLOC_TRIM_THRESHOLD_": "memory is kept for the next call",
    "AWS_ENDPOINT_URL": "of a local emulator",
}


def variables(function: str, *true: str) -> dict[str, Any]:
    """As the function sees them; what stands for something else is a text that says so."""
    given = resolved(properties(function)["Environment"]["Variables"], {*true})
    return {
        name: value["Ref"] if isinstance(value, dict) else value for name, value in given.items()
    }


@pytest.mark.parametrize("function", functions())
def test_what_the_operator_chooses_is_what_the_function_goes_by(
    function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {name: str(1000 + number) for number, name in enumerate(parameters())}
    chosen |= {"Access": "OPEN", "DefaultOwner": "public"}
    for name in ("DATA_BUCKET", "JOBS_TABLE", "FIT_QUEUE_URL", "JOB_EXPIRY_DAYS", "ACCESS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables(function, "IsOpen").items():
        monkeypatch.setenv(name, chosen.get(value, value))
    config.settings.cache_clear()
    config.limits.cache_clear()
    settings, limits = config.settings(), config.limits()
    config.settings.cache_clear()
    config.limits.cache_clear()
    assert (settings.data_bucket, settings.jobs_table) == ("DataBucket", "JobsTable")
    assert settings.fit_queue_url == "FitQueue"
    assert (settings.access, settings.default_owner) == ("OPEN", "public")
    assert settings.job_expiry_days == int(chosen["JobExpiryDays"])
    for field in fields(limits):
        parameter = "Max" + "".join(word.capitalize() for word in field.name.split("_"))
        assert getattr(limits, field.name) == int(chosen[parameter]), field.name


def test_no_owner_is_given_where_access_is_not_open() -> None:
    for function in functions():
        assert "DEFAULT_OWNER" not in variables(function)
        assert variables(function, "IsOpen")["DEFAULT_OWNER"] == "DefaultOwner"
        assert "AWS_ENDPOINT_URL" not in variables(function)
        assert variables(function, "HasEndpointUrl")["AWS_ENDPOINT_URL"] == "AwsEndpointUrl"


def test_a_function_is_given_no_variable_that_nobody_reads() -> None:
    """One of Powertools' can have it log each call whole, with its token and its points."""
    read = {f"MAX_{field.name.upper()}" for field in fields(config.Limits)}
    for path in (PROJECT / "functions").rglob("*.py"):
        read |= set(re.findall(r"""environ(?:\.get\(|\[)"([A-Z_]+)\"""", path.read_text()))
    for function in functions():
        given = set(properties(function)["Environment"]["Variables"])
        assert given - read <= OF_LIBRARIES.keys(), function
        assert variables(function)["OMP_NUM_THREADS"] == "1"
