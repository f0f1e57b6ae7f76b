"""Every limit at its edge: what is at it is taken, one more is refused in clear words."""

import gzip
import random
import re
import uuid
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness import contract, faults
from harness.api import FORM_TYPE, JSON_TYPE, MODEL_CSV, Answer, Client, csv, form
from harness.limits import Set, held
from harness.output import Output
from harness.presigned import post, predict, reserve
from harness.system import (
    OWNER,
    created,
    deliver,
    drop,
    item,
    items,
    job,
    keys,
    let_leases_run_out,
    overwrite,
    put,
    sweep,
)
from harness.template.reading import functions, source, statements, transformed
from harness.timing import at_once
from kmeans_service import config
from kmeans_service.config import Limits
from kmeans_service.owners import quota, rate
from kmeans_service.table.keys import meta_key

PROJECT = Path(__file__).parent.parent
DROPPED = "incoming/tester/points.csv"


def refused(answer: Answer, status: int, kind: str, *words: str) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status, problem["type"].rpartition(":")[2]) == (status, kind)
    for word in words:
        assert word in problem["detail"]
    return problem


# --- defaults, and how they are chosen ----------------------------------------------


def parameter(name: str) -> str:
    """The template's parameter of a limit."""
    return "Max" + "".join(word.capitalize() for word in name.split("_"))


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
        # Lambda's own limit is 4 KB, names included; a value here is no longer than an ARN.
        assert sum(len(variable) + 120 for variable in variables) < 4096


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
    for path, name in re.findall(r"`(test_\w+\.py)::(\w+)`", page):
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


def test_the_readme_has_the_templates_defaults() -> None:
    page = (PROJECT / "README.md").read_text().partition("Those worth knowing")[2]
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


# --- a file -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most", "fits", "over", "status", "words"),
    [
        ("file_bytes", 12, b"1,2\n3,4\n5,6\n", b"1,2\n3,4\n5,67\n", 413, "13 bytes; at most 12"),
        ("rows", 3, b"x\n1\n2\n3\n", b"1\n2\n3\n4\n", 413, "more than the 3 rows"),
        ("columns", 3, b"1,2,3", b"1,2,3,4", 413, "more than the 3 cells"),
        ("line_length", 5, b"1,2,3", b"1,2,3\n1,2,34", 413, "line 2 is longer than the 5 bytes"),
        ("cell_length", 140, b"1." + b"5" * 138, b"1." + b"5" * 139, 413, "the 140 characters"),
    ],
)
@pytest.mark.parametrize("path", ["/kmeans/upload", "/kmeans/fit_predict", "/kmeans/predict"])
def test_a_file_at_a_limit_is_taken_and_one_beyond_it_is_refused(
    client: Client,
    limit: Set,
    path: str,
    name: str,
    most: int,
    fits: bytes,
    over: bytes,
    status: int,
    words: str,
) -> None:
    width = fits.split(b"\n")[-2:][0].count(b",") + 1
    model = b"\n".join([b",".join([b"%d" % n] * width) for n in range(3)])
    client.upload(model)
    client.fit(0)
    limit(**{name: most})

    def send(content: bytes) -> Answer:
        more = {
            "/kmeans/upload": [],
            "/kmeans/fit_predict": [("model_params", None, b'{"n_clusters": 1}')],
            "/kmeans/predict": [("job_id", None, b"0")],
        }
        body = form(*more[path], ("file", "f.csv", content))
        return client.call("POST", path, body, FORM_TYPE)

    assert send(fits).status == 200
    refused(send(over), status, "too-large", words)


def test_a_presigned_form_takes_no_more_than_a_file_may_have(client: Client, limit: Set) -> None:
    limit(file_bytes=1000)
    reserved = reserve(client)
    assert reserved["max_bytes"] == 1000
    client.upload()
    client.fit(1)
    assert client.post_json("/kmeans/predictions", {"job_id": 1}).json()["max_bytes"] == 1000


def test_a_dropped_file_beyond_a_limit_is_a_failed_job_that_says_why(
    client: Client, limit: Set
) -> None:
    limit(file_bytes=len(MODEL_CSV) - 1)
    event = drop(DROPPED, MODEL_CSV)
    assert deliver(event, event) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["status"]) == ("FAILED", 413)
    assert "33 bytes; at most 32 are taken" in view["error"]["detail"]
    assert held() == (1, 0)


# --- a fit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "most", "parameter"),
    [("clusters", 3, "n_clusters"), ("n_init", 2, "n_init"), ("iterations", 400, "max_iter")],
)
def test_a_parameter_at_its_limit_is_taken_and_one_beyond_it_is_refused(
    client: Client, limit: Set, name: str, most: int, parameter: str
) -> None:
    limit(**{name: most})
    client.upload()
    assert client.fit(0, {parameter: most}).status == 200
    answer = client.fit(0, {parameter: most + 1})
    refused(answer, 422, "invalid-parameter", f"{most + 1}; allowed is", f"from 1 to {most}")


def test_the_work_counts_rows_columns_clusters_restarts_and_iterations(
    client: Client, limit: Set
) -> None:
    limit(work=6 * 2 * 3 * 4 * 50)
    client.upload()
    params = {"n_clusters": 3, "n_init": 4, "max_iter": 50}
    assert client.fit(0, params).status == 200
    for name, value in params.items():
        answer = client.fit(0, params | {name: value + 1})
        refused(answer, 422, "invalid-parameter", "at most 7,200 is taken", "Lower n_clusters")


# --- an owner's jobs ----------------------------------------------------------------


def test_one_job_too_many_is_refused_and_says_how_to_make_room(client: Client, limit: Set) -> None:
    limit(jobs=2)
    assert [client.upload(csv(n)).status for n in (0, 1)] == [200, 200]
    problem = refused(client.upload(csv(2)), 422, "too-many-jobs", "DELETE /kmeans/jobs/{job_id}")
    assert (problem["jobs"], problem["max_jobs"]) == (2, 2)
    parts = form(("file", "f.csv", MODEL_CSV))
    assert client.call("POST", "/kmeans/fit_predict", parts, FORM_TYPE).status == 422
    assert client.post_json("/kmeans/uploads", {"filename": "f.csv"}).status == 422
    assert len(keys()) == 2
    assert client.call("DELETE", "/kmeans/jobs/0").status == 204
    assert client.upload(csv(2)).json()["job_id"] == 2


def test_the_same_upload_again_is_its_job_also_at_the_limit(client: Client, limit: Set) -> None:
    limit(jobs=1, stored_bytes=len(MODEL_CSV))
    assert client.upload().json()["job_id"] == 0
    assert client.upload().json()["job_id"] == 0
    assert client.upload(filename="other.csv").status == 422
    event = drop("incoming/tester/model.csv", MODEL_CSV)
    assert deliver(event) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "SUCCEEDED"
    assert held() == (1, job().stored_bytes)


def test_of_20_uploads_at_once_one_takes_the_last_place(client: Client, limit: Set) -> None:
    limit(jobs=4)
    for number in range(3):
        client.upload(csv(number))
    answers = at_once([partial(client.upload, csv(n), f"{n}.csv") for n in range(20)])
    assert sorted(answer.status for answer in answers) == [200] + [422] * 19
    assert held() == (4, 4 * len(csv(0)) + (len(items()[3]["filename"]) - 5))
    assert len(keys()) == 4


def test_32_times_the_same_upload_at_once_is_one_job_also_in_the_last_place(
    client: Client, limit: Set
) -> None:
    limit(jobs=1)
    answers = at_once([partial(client.upload)] * 32)
    assert {(answer.status, answer.json().get("job_id")) for answer in answers} == {(200, 0)}


def test_owners_do_not_count_for_each_other(client: Client, limit: Set) -> None:
    limit(jobs=1)
    other = Client(client._route, owner="other")
    assert [client.upload().status, other.upload().status] == [200, 200]
    assert other.upload(csv(1)).status == 422


def test_a_job_that_is_deleted_many_times_at_once_is_counted_out_once(client: Client) -> None:
    client.upload(csv(0))
    client.upload(csv(1))
    answers = at_once([partial(client.call, "DELETE", "/kmeans/jobs/0")] * 8)
    assert sorted(answer.status for answer in answers) == [204] + [410] * 7
    assert held() == (1, len(csv(1)))
    let_leases_run_out()
    sweep()
    assert held() == (1, len(csv(1)))


def expire(job_id: int) -> None:
    """Time passes, for this job and what is known of it."""
    overwrite(item(job_id), expires_at=1)
    overwrite(items(prefix="META")[0], exact_until=1)


def test_what_has_expired_makes_room(client: Client, limit: Set) -> None:
    limit(jobs=2)
    client.upload(csv(0))
    client.upload(csv(1))
    assert client.upload(csv(2)).status == 422
    expire(0)
    assert client.upload(csv(2)).json()["job_id"] == 2
    assert held() == (2, len(csv(1)) + len(csv(2)))
    assert client.upload(csv(3)).status == 422


def test_a_full_quota_is_counted_anew_only_if_something_may_have_expired(
    client: Client, limit: Set, aws: Any
) -> None:
    limit(jobs=1)
    client.upload()
    asked: list[str] = []
    aws.dynamodb().meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    assert client.upload(csv(1)).status == 422
    assert "Query" not in asked
    overwrite(items(prefix="META")[0], exact_until=1)
    asked.clear()
    assert client.upload(csv(1)).status == 422
    assert asked.count("Query") == 3  # jobs, predictions, what was replaced
    asked.clear()
    assert client.upload(csv(1)).status == 422
    assert "Query" not in asked


def test_jobs_from_before_there_were_counters_are_counted_first(client: Client, aws: Any) -> None:
    for number in range(3):
        client.upload(csv(number))

    def forget() -> None:
        aws.dynamodb().update_item(
            TableName=config.settings().jobs_table,
            Key=meta_key(OWNER),
            UpdateExpression="REMOVE jobs, stored_bytes, exact_until",
        )

    forget()
    client.upload(csv(3))
    assert held() == (4, 4 * len(csv(0)))
    forget()
    client.call("DELETE", "/kmeans/jobs/0")
    assert held() == (3, 3 * len(csv(0)))


def test_the_counters_follow_the_jobs_through_whatever_happens(client: Client) -> None:
    chance = random.Random(0)
    for step in range(60):
        match chance.choice(["upload", "again", "reserve", "arrive", "drop", "delete", "fit"]):
            case "upload" | "fit":
                client.upload(csv(step))
            case "again":
                client.upload(csv(0))
            case "reserve":
                reserve(client)
            case "arrive":
                content = chance.choice([csv(step), b"1\nbad\n"])
                arrived = post(reserve(client), content)
                deliver(arrived, arrived)
            case "drop":
                content = chance.choice([csv(step), b"1\nbad\n"])
                event = drop(f"incoming/tester/{step}.csv", content)
                deliver(event, event)
            case "delete":
                client.call("DELETE", f"/kmeans/jobs/{chance.randrange(step + 1)}")
    live = [found for found in items() if found["status"] not in ("DELETING", "DELETED")]
    assert len(live) > 10
    assert held() == (len(live), sum(job(found["job_id"]).stored_bytes for found in live))
    assert quota.read(OWNER).exact_until == min(found["expires_at"] for found in items())
    listed = client.get("/kmeans/jobs?limit=100").json()["jobs"]
    files = sum(view.get("size", 0) for view in listed)
    models = sum(job(view["job_id"]).published.stored_bytes for view in listed if "scores" in view)
    assert held() == (len(listed), files + models)


# --- an owner's bytes ---------------------------------------------------------------


def test_one_byte_too_many_is_refused_and_says_how_to_make_room(client: Client, limit: Set) -> None:
    limit(stored_bytes=2 * len(MODEL_CSV))
    client.upload(filename="a.csv")
    problem = refused(
        client.upload(MODEL_CSV + b"\n", "b.csv"), 413, "storage-full", "have 33 bytes; 34 more"
    )
    assert (problem["stored_bytes"], problem["max_stored_bytes"]) == (33, 66)
    assert client.upload(filename="b.csv").status == 200
    assert client.upload(b"1\n2\n").status == 413
    assert client.post_json("/kmeans/uploads", {"filename": "c.csv"}).status == 413
    parts = form(("file", "f.csv", b"1\n2\n"))
    assert client.call("POST", "/kmeans/fit_predict", parts, FORM_TYPE).status == 413
    client.call("DELETE", "/kmeans/jobs/0")
    assert client.upload(b"1\n2\n").status == 200
    assert held() == (2, len(MODEL_CSV) + 4)


def test_of_20_uploads_at_once_as_many_get_in_as_there_is_room_for(
    client: Client, limit: Set
) -> None:
    limit(stored_bytes=3 * 39 + 38)
    answers = at_once([partial(client.upload, csv(10 + n), f"{n}.csv") for n in range(20)])
    assert sorted(answer.status for answer in answers) == [200] * 3 + [413] * 17
    assert held() == (3, 3 * 39)
    assert len(keys()) == 3


def test_a_presigned_form_takes_no_more_than_there_is_room_for(client: Client, limit: Set) -> None:
    limit(stored_bytes=100)
    client.upload()
    assert reserve(client)["max_bytes"] == 100 - len(MODEL_CSV)


def test_a_file_that_comes_when_the_room_is_gone_fails_its_job_and_is_removed(
    client: Client, limit: Set
) -> None:
    limit(stored_bytes=50)
    one, other = reserve(client, model_params={}), reserve(client, model_params={})
    first, second = post(one, MODEL_CSV), post(other, MODEL_CSV)
    assert deliver(first, second, second) == 0
    views = [client.get(f"/kmeans/jobs/{n}").json() for n in (0, 1)]
    assert [view["status"] for view in views] == ["SUCCEEDED", "FAILED"]
    assert views[1]["error"]["type"] == "urn:kmeans-service:problem:storage-full"
    assert keys("pending/") == ["pending/tester/0/input.csv"]
    assert held() == (2, job().stored_bytes)


def test_a_second_file_for_the_same_form_is_removed(client: Client) -> None:
    key = reserve(client)["fields"]["key"]
    first, second = created(key, put(key, MODEL_CSV)), created(key, put(key, csv(1)))
    assert deliver(first, second, second, first) == 0
    assert keys("pending/") == ["pending/tester/0/input.csv"]
    assert client.get("/kmeans/jobs/0/input").body == MODEL_CSV
    assert held() == (1, 33)


def test_a_refused_file_is_removed(client: Client) -> None:
    arrived = post(reserve(client), b"bad\nfile\n")
    assert deliver(arrived, arrived) == 0
    assert client.get("/kmeans/jobs/0").json()["status"] == "FAILED"
    assert keys() == []


def test_points_are_removed_once_they_are_predicted(client: Client) -> None:
    client.upload()
    client.fit(0)
    _, arrived = predict(client, MODEL_CSV)
    assert deliver(arrived, arrived) == 0
    assert keys("pending/") == []
    assert len(keys("results/")) == 1


def test_a_dropped_file_without_room_for_its_bytes_is_a_failed_job_that_says_so(
    client: Client,
    limit: Set,
    output: Output,
) -> None:
    limit(stored_bytes=40)
    client.upload()
    event = drop(DROPPED, csv(1))
    output.text()
    assert deliver(event, event) == 0
    said = output.log.getvalue()
    assert output.metrics()["FilesTurnedAway"] == (([1.0]), "Count")
    assert "turned a file away" in said
    assert "points.csv" not in said
    view = client.get("/kmeans/jobs/1").json()
    assert (view["status"], view["error"]["status"]) == ("FAILED", 413)
    assert keys("incoming/") == [DROPPED]
    assert held() == (2, 33)


def test_a_dropped_file_without_room_for_its_job_is_logged_and_counted(
    client: Client,
    limit: Set,
    output: Output,
) -> None:
    limit(jobs=1)
    client.upload()
    event = drop(DROPPED, csv(1))
    output.text()
    assert deliver(event) == 0
    assert output.metrics()["FilesTurnedAway"] == ([1.0], "Count")
    assert len(items()) == 1
    assert keys("incoming/") == [DROPPED]
    client.call("DELETE", "/kmeans/jobs/0")
    assert deliver(event) == 0  # once is once: the file is put there again to be taken
    assert len(items()) == 1
    assert deliver(drop(DROPPED, csv(1))) == 0
    assert job(1).status == "SUCCEEDED"


# --- requests -----------------------------------------------------------------------


@pytest.fixture
def minute(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """What time it is, in seconds since some minute began."""
    assert aws  # which sets another window
    monkeypatch.setattr(rate, "WINDOW_SECONDS", 60)

    def set_clock(seconds: float) -> None:
        clock = type("Clock", (), {"time": staticmethod(lambda: 1_800_000_000 + seconds)})
        monkeypatch.setattr(rate, "time", clock)

    set_clock(0)
    return set_clock


def spent(meter: rate.Meter, tries: int, owner: str = OWNER) -> int:
    """How many of these requests are let in."""
    count = 0
    for _ in range(tries):
        try:
            meter.spend(owner)
        except rate.TooManyRequests:
            continue
        count += 1
    return count


def test_one_request_too_many_is_told_when_to_come_again(
    client: Client, limit: Set, minute: Callable[[float], None]
) -> None:
    limit(requests_per_minute=3)
    rate.meter.cache_clear()
    minute(17.5)
    assert [client.get("/kmeans/jobs").status for _ in range(3)] == [200] * 3
    answer = client.get("/kmeans/jobs")
    refused(answer, 429, "too-many-requests", "Your 3 requests of this minute are used up", "43 s")
    assert answer.headers["Retry-After"] == "43"
    assert Client(client._route, owner="other").get("/kmeans/jobs").status == 200
    minute(59.9)
    assert client.get("/kmeans/jobs").headers["Retry-After"] == "1"
    minute(60)
    assert client.get("/kmeans/jobs").status == 200


@pytest.mark.usefixtures("minute")
def test_every_path_counts_but_health_and_the_documentation(client: Client, limit: Set) -> None:
    limit(requests_per_minute=1)
    rate.meter.cache_clear()
    client.get("/kmeans/jobs")
    names = {"job_id": "0", "prediction_id": "0-0", "asset": "swagger-ui.css"}
    free = set()
    for method, path, _ in contract.operations():
        if client.call(method, path.format(**names)).status != 429:
            free.add(path)
    pages = {"/kmeans", "/kmeans/openapi.json", "/kmeans/ui", "/kmeans/ui/{asset}"}
    assert free == pages | {"/kmeans/health"}


@pytest.mark.usefixtures("minute")
@settings(max_examples=10)
@given(st.integers(1, 1000), st.lists(st.integers(1, 150), min_size=1, max_size=6))
@example(1, [1, 1])
@example(199, [100, 99, 1])
@example(200, [150, 51])
@example(201, [101, 101])
@example(300, [150, 150, 150])
def test_execution_environments_share_one_limit(most: int, tries: list[int]) -> None:
    owner = uuid.uuid4().hex
    batch = max(1, most // 100)
    meters = [rate.Meter(most) for _ in tries]
    let_in = sum(spent(meter, count, owner) for meter, count in zip(meters, tries, strict=True))
    assert let_in <= most
    # What is in another environment's hands is not there for this one.
    assert let_in >= min(sum(tries), most - (len(tries) - 1) * (batch - 1))


@pytest.mark.usefixtures("minute")
def test_a_hundred_writes_a_minute_are_the_most_there_are(aws: Any) -> None:
    asked: list[str] = []
    aws.dynamodb().meta.events.register("before-call", lambda model, **_: asked.append(model.name))
    meter = rate.Meter(5000)
    assert spent(meter, 20_000, "busy") == 5000
    assert asked == ["UpdateItem"] * 101  # the last one learns that there are no more


@pytest.mark.usefixtures("minute")
def test_a_counter_goes_when_its_minute_is_over() -> None:
    rate.Meter(10).spend("counted")
    [counter] = items("counted", prefix="RATE#")
    assert counter["granted"] == 1
    assert counter["expires_at"] == 1_800_000_000 + 120


@pytest.mark.usefixtures("minute")
def test_requests_are_let_in_and_it_is_noted_while_dynamodb_is_too_busy_to_count(
    monkeypatch: pytest.MonkeyPatch,
    client: Client,
    output: Output,
    aws: Any,
) -> None:
    rate.meter.cache_clear()
    busy: list[str] = []

    def turn_away(request: Any, **_: Any) -> Any:
        if request.headers.get("X-Amz-Target", b"").endswith(b"UpdateItem"):
            busy.append(request.url)
            body = b'{"__type": "x#ProvisionedThroughputExceededException"}'
            return AWSResponse(request.url, 400, {}, faults._Body(body))
        return None

    monkeypatch.setattr("botocore.endpoint.time", faults.Hurried())
    aws.dynamodb().meta.events.register("before-send", turn_away)
    output.text()
    assert client.get("/kmeans/jobs").status == 200
    said = output.log.getvalue()
    assert output.metrics()["RequestsUncounted"] == ([1.0], "Count")
    assert "too busy to count requests" in said
    tried = len(busy)
    assert client.get("/kmeans/jobs").status == 200
    assert len(busy) == tried  # not asked for every request


# --- what is refused rather than decoded ---------------------------------------------


BODIES = [
    (path, media_type)
    for _, path, operation in contract.operations()
    for media_type in operation.get("requestBody", {}).get("content", {})
]


@pytest.mark.parametrize(("path", "media_type"), BODIES)
def test_a_compressed_body_is_refused_on_every_path(
    client: Client, path: str, media_type: str
) -> None:
    headers = JSON_TYPE if media_type == "application/json" else FORM_TYPE
    answer = client.call("POST", path, b"\x1f\x8b", headers | {"Content-Encoding": "gzip"})
    refused(answer, 415, "unsupported-media-type", "send the body uncompressed")


def test_a_compressed_file_that_is_dropped_is_not_decoded(client: Client, aws: Any) -> None:
    aws.s3().put_object(
        Bucket=config.settings().data_bucket,
        Key=DROPPED,
        Body=gzip.compress(MODEL_CSV),
        ContentEncoding="gzip",
    )
    assert deliver(created(DROPPED)) == 0
    view = client.get("/kmeans/jobs/0").json()
    assert (view["status"], view["error"]["status"]) == ("FAILED", 422)
    assert "compressed with gzip" in view["error"]["detail"]
