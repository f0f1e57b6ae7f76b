"""Two owners against every route: who has no token, and who has another owner's, gets nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest

from authorizer.app import lambda_handler as authorizer
from harness import contract
from harness.api import FORM_TYPE, JSON_TYPE, Answer, Client, Context, event, form
from harness.fake_aws.environment import TABLE
from harness.routes import CALLS, FILE, JOB_0, PUBLIC, ROUTES, filled
from harness.system import deliver, drop, item, items, keys, put
from kmeans_service import config
from kmeans_service.errors import Forbidden, ServiceError, Unauthenticated
from kmeans_service.http.access import OWNER, owner_of
from kmeans_service.lifecycle import large_predictions
from kmeans_service.owners.tokens import new_token
from local.tokens import TokenTable
from worker import arrivals

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:api/v1"
REFUSED = Answer(401, {}, b"")
# These make something of the caller's own, or show it, whoever else there is.
OWN = {"upload", "createUpload", "fitPredict", "listJobs", "headListJobs"}
PAGES = {"root", "health", "openapi", "ui", "uiAsset", "pageAsset"}
PAGES |= {"serverMetadata", "serverLive", "serverReady"}
PAGES |= {f"head{name[0].upper()}{name[1:]}" for name in PAGES}


@dataclass
class Gate:
    """The API behind its authorizer, as API Gateway puts the two together."""

    token: str | None
    prediction_id: str = "0-" + "0" * 32

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        headers = dict(headers or {})
        operation = contract.document()["paths"][contract.template_of(path)]
        operation = operation.get(method.lower(), operation[contract.ANY_METHOD])
        given = event(method, path, body, headers)
        if operation["security"]:
            if self.token is None:
                return REFUSED
            headers["Authorization"] = f"Bearer {self.token}"
            arn = f"{STAGE}/{method}{path.partition('?')[0]}"
            decision = authorizer({"methodArn": arn, "headers": headers}, None)
            [statement] = decision["policyDocument"]["Statement"]
            covered = any(fnmatchcase(arn, pattern) for pattern in statement["Resource"])
            if not covered or statement["Effect"] != "Allow":
                return REFUSED
            given["requestContext"]["authorizer"] = decision["context"]
        return Client(lambda _method, path: contract.handler_of(path)).send(given)

    def call(self, method: str, path: str, operation: str) -> Answer:
        """The route for job 0, with a body that its owner could have sent."""
        path = filled(path, job_id="0", prediction_id=self.prediction_id)
        return self.send(method, path, *CALLS.get(operation, ()))


@dataclass
class Owners:
    alice: Gate
    bob: Gate
    nobody: Gate
    stranger: Gate


@pytest.fixture
def owners(aws: Any, monkeypatch: pytest.MonkeyPatch) -> Owners:
    """Alice with a fitted job 0 and a prediction; bob with nothing; the deployment closed."""
    monkeypatch.setenv("ACCESS", "TOKEN")
    monkeypatch.delenv("DEFAULT_OWNER")
    config.settings.cache_clear()
    table = TokenTable(aws.dynamodb(), TABLE)
    alice, bob = (Gate(table.create(owner, "")[0]) for owner in ("alice", "bob"))
    assert alice.send("POST", "/kmeans/upload", FILE, FORM_TYPE).json()["job_id"] == 0
    assert alice.send("POST", "/kmeans/fit", *CALLS["fit"]).status == 200
    made = alice.send("POST", "/kmeans/predictions", JOB_0, JSON_TYPE)
    alice.prediction_id = bob.prediction_id = made.json()["prediction_id"]
    return Owners(alice, bob, Gate(None), Gate(new_token()))


def state() -> tuple[Any, ...]:
    return item(owner="alice"), items("alice"), sorted(key for key in keys() if "/alice/" in key)


@pytest.mark.thorough
def test_a_route_shows_nothing_and_does_nothing_for_whom_it_is_not(owners: Owners) -> None:
    before = state()
    # His own last: until then he has no job 0, and never had one.
    for method, path, operation in sorted(ROUTES, key=lambda route: route[2] in OWN):
        route = (method, path)
        for refused in (owners.nobody, owners.stranger):
            answer = refused.call(method, path, operation)
            assert answer.status == (200 if path in PUBLIC else 401), route
        answer = owners.bob.call(method, path, operation)
        if operation not in OWN | PAGES:
            assert answer.status == 404, (route, answer.text)
            if method != "HEAD":
                kind = answer.json()["type"].rpartition(":")[2]
                assert kind in ("job-not-found", "prediction-not-found"), route
        else:
            assert answer.status in (200, 201), (route, answer.text)
        assert state() == before, route


def test_the_same_call_is_served_for_its_owner(owners: Owners) -> None:
    for method, path, operation in ROUTES:
        if operation not in ("deleteJob", "abortUpload"):
            assert owners.alice.call(method, path, operation).status < 400, (method, path)


def test_a_handler_serves_no_call_without_an_owner_whatever_the_gateway_let_through(
    owners: Owners,
) -> None:
    before = state()
    for method, path, operation in ROUTES:
        named = filled(path, job_id="0", prediction_id=owners.alice.prediction_id)
        given = event(method, named, *CALLS.get(operation, ()))
        for context in (
            *({}, {"authorizer": {}}),
            *({"authorizer": {"owner": ""}}, {"authorizer": None}),
        ):
            given["requestContext"] |= context
            answer = Client(lambda _method, path: contract.handler_of(path)).send(given)
            assert answer.status == (200 if path in PUBLIC else 401), (method, path)
        assert state() == before, (method, path)


@pytest.mark.parametrize("path", ["/kmeans/nothing", "/kmeans/jobs/0/nothing", "/kmeans/jobs"])
def test_without_an_owner_not_even_a_wrong_path_or_method_is_told(
    owners: Owners,  # noqa: ARG001 (the closed deployment)
    path: str,
) -> None:
    answer = contract.handler_of(path)(event("PUT", path), Context())
    assert answer["statusCode"] == 401
    assert answer["multiValueHeaders"]["WWW-Authenticate"] == ["Bearer"]


@pytest.mark.parametrize("name", ["../alice", "a b", "a/b", "é", "a" * 65, "O#alice", "alice\n"])
def test_an_owner_whose_name_could_lead_elsewhere_is_none(owners: Owners, name: str) -> None:  # noqa: ARG001
    given = event("GET", "/kmeans/jobs", owner=name)
    assert contract.handler_of("/kmeans/jobs")(given, Context())["statusCode"] == 401


def test_ids_are_counted_for_each_owner_alone(owners: Owners) -> None:
    made = owners.bob.send("POST", "/kmeans/upload", FILE, FORM_TYPE)
    assert made.json()["job_id"] == 0
    assert owners.bob.send("GET", "/kmeans/jobs/0/labels").status == 409
    assert owners.alice.send("GET", "/kmeans/jobs/0/labels").status == 200
    assert owners.bob.send("DELETE", "/kmeans/jobs/0").status == 204
    assert owners.alice.send("GET", "/kmeans/jobs/0/labels").status == 200


def test_a_cursor_leads_through_the_callers_own_jobs_whoever_got_it(owners: Owners) -> None:
    for number in range(3):
        body = form(("file", f"{number}.csv", b"1\n2\n"))
        owners.alice.send("POST", "/kmeans/upload", body, FORM_TYPE)
    cursor = owners.alice.send("GET", "/kmeans/jobs?limit=2").json()["next_cursor"]
    assert owners.bob.send("GET", f"/kmeans/jobs?cursor={cursor}").json() == {"jobs": []}
    owners.bob.send("POST", "/kmeans/upload", FILE, FORM_TYPE)
    [job] = owners.bob.send("GET", f"/kmeans/jobs?cursor={cursor}").json()["jobs"]
    assert job["filename"] == "model.csv"


def test_presigned_uploads_lead_to_the_callers_own_prefix(owners: Owners) -> None:
    made = owners.bob.call("POST", "/kmeans/uploads", "createUpload").json()
    assert made["fields"]["key"].startswith("pending/bob/")


def test_a_dropped_file_belongs_to_the_owner_whose_prefix_it_lies_under(owners: Owners) -> None:
    before = state()
    assert deliver(drop("incoming/bob/dropped.csv", b"1\n2\n9\n")) == 0
    [job] = owners.bob.send("GET", "/kmeans/jobs").json()["jobs"]
    assert job["filename"] == "dropped.csv"
    assert state() == before


@pytest.mark.parametrize(
    "key", ["incoming/dropped.csv", "incoming/a b/dropped.csv", "incoming//dropped.csv"]
)
def test_a_file_under_no_owners_prefix_is_nobodys(owners: Owners, key: str) -> None:  # noqa: ARG001
    arrival = arrivals.Arrival(key, put(key, b"1\n2\n"))
    before = state()
    arrivals.handle(arrival, 60, lambda: None)
    assert state() == before


def test_a_file_under_the_prefix_of_one_owner_completes_no_job_of_another(owners: Owners) -> None:
    reserved = owners.alice.call("POST", "/kmeans/uploads", "createUpload").json()
    before = item(reserved["job_id"], "alice")
    assert deliver(drop(f"pending/bob/{reserved['job_id']}/input.csv", b"1\n2\n")) == 0
    assert item(reserved["job_id"], "alice") == before
    assert large_predictions.find("alice", owners.alice.prediction_id).result is None


def signed(account: str | None, caller: str | None) -> dict[str, Any]:
    given = event("GET", "/kmeans/jobs", owner="mallory")
    given["requestContext"]["identity"] = {"accountId": account, "caller": caller}
    return given


USER, ROLE = "AIDA953231C6BB6C49759", "AROA953231C6BB6C49759"


@pytest.mark.parametrize(
    ("account", "caller", "owner"),
    [
        ("123456789012", USER, f"123456789012-{USER}"),
        ("123456789012", f"{ROLE}:session", f"123456789012-{ROLE}"),
        ("123456789012", f"{ROLE}:another", f"123456789012-{ROLE}"),
        ("123456789012", "123456789012", "123456789012-123456789012"),
        ("123456789012", "123456789012:federated", Forbidden),
        ("123456789012", "210987654321", Forbidden),
        ("123456789012", None, Unauthenticated),
        (None, USER, Forbidden),
        ("", "", Unauthenticated),
        ("../../alice00", USER, Forbidden),
        ("123456789012", "AIDA/../alice", Forbidden),
    ],
)
def test_who_signs_is_known_by_account_and_id_and_by_nothing_else(
    aws: Any,  # noqa: ARG001 (the settings come with it)
    monkeypatch: pytest.MonkeyPatch,
    account: str | None,
    caller: str | None,
    owner: str | type[ServiceError],
) -> None:
    monkeypatch.setenv("ACCESS", "IAM")
    config.settings.cache_clear()
    call = signed(account, caller)["requestContext"]
    found: Callable[[], str] = lambda: owner_of(call)  # noqa: E731
    if isinstance(owner, str):
        assert found() == owner
        assert OWNER.fullmatch(owner)
    else:
        with pytest.raises(owner):
            found()
