"""`make run ACCESS=TOKEN` and `ACCESS=IAM`: the real authorizer, the real command, curl."""

import base64
import json
import subprocess
from collections.abc import Iterator

import pytest

from harness import PROJECT
from harness.routes import CALLS, PUBLIC, ROUTES, filled
from harness.service.closed import POINTS, Closed, Said, bearer, running


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    yield from running(tmp_path_factory.mktemp("closed"), "TOKEN")


@pytest.fixture
def closed(made: Closed) -> Closed:
    """Runs, also after a test that has stopped it."""
    if not made.service.runs():
        made.start()
    return made


@pytest.fixture(scope="module")
def erin(made: Closed) -> list[str]:
    """Erin's credentials for curl, and a fitted job of hers."""
    credentials = bearer(made.token("create --owner erin --label laptop"))
    sent = made.curl("/kmeans/upload", *credentials, "-F", "file=@-;filename=a.csv", given=POINTS)
    assert sent.json()["job_id"] == 0
    assert made.curl("/kmeans/fit", *credentials, "--json", '{"job_id": 0}').status == 200
    return credentials


def is_problem(said: Said, status: int) -> bool:
    document = said.json()
    assert said.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "request_id"} <= document.keys()
    return said.status == document["status"] == status


def test_the_two_calls_that_the_start_shows_work(closed: Closed) -> None:
    """Word for word, in a shell, from another terminal."""
    shown = closed.service.said().split("It is closed.")[1].splitlines()
    export, call = (line.strip() for line in shown[1:3])
    assert export.startswith("export TOKEN=")
    assert call.startswith("printf")
    done = subprocess.run(
        ["bash", "-ec", f"{export} 2>/dev/null; {call}"],
        cwd=PROJECT,
        env=closed.environment | {"TOKEN": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["filename"] == "points.csv"


@pytest.mark.parametrize(("method", "path", "operation"), ROUTES)
def test_every_route_but_the_public_ones_answers_401_to_nobody_and_to_a_wrong_token(
    closed: Closed,
    erin: list[str],  # noqa: ARG001 (there is something to be had)
    method: str,
    path: str,
    operation: str,
) -> None:
    public = path in PUBLIC
    path = filled(path, job_id="0", prediction_id="0-" + "0" * 32)
    body, headers = CALLS.get(operation, (b"", {}))
    verb = ["--head"] if method == "HEAD" else ["-X", method]
    options = [*verb, *(f"-H{name}: {value}" for name, value in headers.items())]
    options += ["--data-binary", body.decode()] if body else []
    for credentials in ([], bearer("km_" + "a" * 43)):
        said = closed.curl(path, *options, *credentials)
        if public:
            assert said.status == 200
        else:
            assert said.status == 401
            assert method == "HEAD" or is_problem(said, 401)
            assert "bearer" in said.headers["www-authenticate"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", ["/kmeans/jobs", "/kmeans/nothing", "/kmeans/ui/"])
def test_a_method_that_a_path_does_not_have_opens_no_gap(
    closed: Closed, method: str, path: str
) -> None:
    assert is_problem(closed.curl(path, "-X", method), 401)


def test_another_owners_token_finds_nothing(closed: Closed, erin: list[str]) -> None:
    bob = bearer(closed.token("create --owner bob"))
    assert closed.curl("/kmeans/jobs", *bob).json() == {"jobs": []}
    for path in ("", "/labels", "/centers", "/scores", "/input", "/model"):
        assert is_problem(closed.curl(f"/kmeans/jobs/0{path}", *bob), 404)
        assert closed.curl(f"/kmeans/jobs/0{path}", *erin).status == 200
    assert is_problem(closed.curl("/kmeans/jobs/0", "-X", "DELETE", *bob), 404)


def test_a_browser_may_see_the_page_and_no_data(closed: Closed, erin: list[str]) -> None:
    """Its prompt takes the token as the password."""
    asked = closed.curl("/kmeans/ui/")
    assert 'basic realm="kmeans"' in asked.headers["www-authenticate"]
    token = erin[1].split()[-1]
    password = base64.b64encode(f"me:{token}".encode()).decode()
    basic = ["-H", f"Authorization: Basic {password}"]
    for path in ("ui", "ui/", "ui/swagger-ui-bundle.js", "openapi.json"):
        assert closed.curl(f"/kmeans/{path}", *basic).status == 200, path
    refused = closed.curl("/kmeans/jobs", *basic)
    assert is_problem(refused, 401)
    assert refused.headers["www-authenticate"] == "bearer"  # or the browser would ask again


def test_a_revoked_token_is_worthless_and_stands_in_the_list(closed: Closed) -> None:
    token = closed.token("create --owner carol --label lost --days 3")
    [line] = [line for line in closed.token("list").splitlines() if line.endswith("lost")]
    closed.token(f"revoke {line.split()[0]}")
    assert is_problem(closed.curl("/kmeans/jobs", *bearer(token)), 401)
    assert "revoked" in closed.token("list")


def test_no_token_is_left_behind_on_disk_or_in_a_log(closed: Closed) -> None:
    token = closed.token("create --owner dora")
    assert closed.curl("/kmeans/jobs", *bearer(token)).status == 200
    assert is_problem(closed.curl("/kmeans/jobs", *bearer(token + "x")), 401)
    closed.service.stop()  # it saves what it has
    secret = token.removeprefix("km_").encode()
    files = [file for file in closed.service.home.rglob("*") if file.is_file()]
    assert [file for file in files if secret in file.read_bytes()] == []
    assert secret not in closed.service.output.read_bytes()


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    yield from running(tmp_path_factory.mktemp("signed"), "IAM")


def test_signed_calls_belong_to_the_user_who_signed(signed: Closed) -> None:
    def user(name: str) -> list[str]:
        iam = signed.service.aws("iam")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        pair = f"{key['AccessKeyId']}:{key['SecretAccessKey']}"
        return ["--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", pair]

    ann, ben = user("ann"), user("ben")
    assert {signed.curl(filled(path)).status for path in PUBLIC} == {200}
    asked = signed.curl("/kmeans/jobs")
    assert is_problem(asked, 401)
    assert asked.headers["www-authenticate"] == "aws4-hmac-sha256"
    # curl does not sign the body of -F, and API Gateway, unlike the emulator, looks.
    made = signed.curl("/kmeans/uploads", *ann, "--json", '{"filename": "a.csv"}')
    assert made.json()["job_id"] == 0
    assert signed.curl("/kmeans/jobs/0", *ann).status == 200
    assert is_problem(signed.curl("/kmeans/jobs/0", *ben), 404)
    assert is_problem(signed.curl("/kmeans/jobs/0", *bearer("km_" + "a" * 43)), 401)
