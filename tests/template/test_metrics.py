"""The metrics that are watched are those that the functions print."""

import json
import os

import pytest

from harness import PROJECT
from harness.api import ASYNC, MODEL_CSV, Client
from harness.system import deliver, drop, item, job, manifest, put, work_off
from harness.template.reading import functions, source, transformed
from harness.template.watched import OURS, Watched, _as_text, alarms, shown, watched_by
from kmeans_service.models import loading

# Not worth causing here: looked up in the code.
SELDOM = {"FilesTurnedAway", "RequestsUncounted"}


class Emitted:
    """The metrics that handlers print, as CloudWatch reads them from the log (EMF)."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def metrics(self) -> dict[Watched, list[float]]:
        found: dict[Watched, list[float]] = {}
        for line in self._capsys.readouterr().out.splitlines():
            logged = json.loads(line)
            for directive in logged.get("_aws", {}).get("CloudWatchMetrics", []):
                for names in directive["Dimensions"]:
                    dimensions = frozenset((name, logged[name]) for name in names)
                    for metric in directive["Metrics"]:
                        key = (directive["Namespace"], metric["Name"], dimensions)
                        found.setdefault(key, []).extend(logged[metric["Name"]])
        return found


@pytest.fixture
def emitted(client: Client, capsys: pytest.CaptureFixture[str]) -> Emitted:
    client.get("/kmeans/health")  # a cold start is behind us
    capsys.readouterr()
    return Emitted(capsys)


def integrity() -> Watched:
    """What the alarm watches, with this process's service in the place of the stack's."""
    [(namespace, name, dimensions)] = watched_by(alarms()["IntegrityAlarm"])
    return namespace, name, as_here(dimensions)


def as_here(dimensions: frozenset[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    variables = source()["Globals"]["Function"]["Environment"]["Variables"]
    service = _as_text(variables["POWERTOOLS_SERVICE_NAME"])
    here = os.environ["POWERTOOLS_SERVICE_NAME"]
    return frozenset((name, value.replace(service, here)) for name, value in dimensions)


def code() -> str:
    return "".join(path.read_text() for path in (PROJECT / "functions").rglob("*.py"))


def test_all_functions_emit_under_the_namespace_and_service_that_are_watched() -> None:
    for name in functions():
        variables = transformed()["Resources"][name]["Properties"]["Environment"]["Variables"]
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == OURS, name
        assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}, name


def test_the_dashboard_shows_metrics_of_ours_that_are_emitted(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    loading.forget()
    client.predict()
    client.upload(MODEL_CSV + b"1, 1\n", "other.csv")
    client.fit(1, **ASYNC)
    put(item(1)["input"]["key"], MODEL_CSV)
    work_off()
    found = set(emitted.metrics())
    for namespace, name, dimensions in shown():
        if namespace != OURS:
            continue
        if name in SELDOM:
            assert as_here(dimensions) == integrity()[2], name
            assert f'count("{name}")' in code(), name
        else:
            assert (namespace, name, as_here(dimensions)) in found, name


def test_an_object_that_was_swapped_raises_the_alarm_when_a_request_reads_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    put(job().published.labels.key, b"0\n" * 6)
    assert integrity() not in emitted.metrics()
    assert client.get("/kmeans/jobs/0/labels").status == 410
    assert emitted.metrics()[integrity()] == [1]


def test_a_file_that_was_swapped_raises_the_alarm_once_when_a_request_fits_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    assert client.fit(0).status == 410
    assert emitted.metrics()[integrity()] == [1]


def test_a_file_that_was_swapped_raises_the_alarm_once_when_the_worker_fits_it(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0, **ASYNC)
    put(item()["input"]["key"], MODEL_CSV + b"1, 1\n")
    work_off()
    assert emitted.metrics()[integrity()] == [1]


def test_centers_that_were_swapped_raise_the_alarm_when_the_worker_predicts(
    client: Client, emitted: Emitted
) -> None:
    client.upload()
    client.fit(0)
    prediction = client.post_json("/kmeans/predictions", {"job_id": 0}).json()
    loading.forget()
    put(manifest().key, b"anything")
    deliver(drop(prediction["fields"]["key"], MODEL_CSV))
    assert emitted.metrics()[integrity()] == [1]
    assert client.get(f"/kmeans/predictions/{prediction['prediction_id']}").status == 422


def test_any_other_refusal_raises_no_alarm(client: Client, emitted: Emitted) -> None:
    client.upload(b"a,1")
    client.get("/kmeans/jobs/7")
    client.predict()
    assert integrity() not in emitted.metrics()
