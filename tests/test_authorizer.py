"""Tokens and the authorizer that knows them."""

import base64
import io
import json
import time
from fnmatch import fnmatchcase
from typing import Any

import pytest

from authorizer.app import lambda_handler, logger
from harness.fake_aws.environment import TABLE
from kmeans_service import config
from kmeans_service.owners import tokens
from local.tokens import Refused, TokenTable

STAGE = "arn:aws:execute-api:eu-central-1:123456789012:api/v1"


@pytest.fixture
def table(aws: Any, monkeypatch: pytest.MonkeyPatch) -> TokenTable:
    monkeypatch.delenv("DEFAULT_OWNER")
    config.settings.cache_clear()
    return TokenTable(aws.dynamodb(), TABLE)


def ask(authorization: str | None, route: str = "GET/kmeans/jobs") -> dict[str, Any]:
    headers = {} if authorization is None else {"Authorization": authorization}
    event = {"type": "REQUEST", "methodArn": f"{STAGE}/{route}", "headers": headers}
    return lambda_handler(event, None)


def opens(answer: dict[str, Any], route: str) -> bool:
    [statement] = answer["policyDocument"]["Statement"]
    covered = any(fnmatchcase(f"{STAGE}/{route}", pattern) for pattern in statement["Resource"])
    return covered and statement["Effect"] == "Allow"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{password}".encode()).decode()


def stored(table: TokenTable) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table._dynamodb.scan(TableName=TABLE)["Items"]
    return found


def test_a_token_has_256_random_bits() -> None:
    token = tokens.new_token()
    assert tokens.TOKEN.fullmatch(token)
    assert len(base64.urlsafe_b64decode(token.removeprefix("km_") + "=")) == 32
    assert token != tokens.new_token()


def test_a_token_is_stored_as_its_sha256_alone(table: TokenTable) -> None:
    token, _ = table.create("alice", "laptop")
    text = json.dumps(stored(table))
    assert tokens.digest(token) in text
    assert token not in text
    assert token.removeprefix("km_") not in text


def test_a_token_opens_the_whole_stage_for_its_owner_whatever_the_first_route_was(
    table: TokenTable,
) -> None:
    token, _ = table.create("alice", "laptop")
    answer = ask(f"Bearer {token}")
    assert answer["context"] == {"owner": "alice"}
    assert answer["principalId"] == "alice"
    assert opens(answer, "GET/kmeans/jobs")
    assert opens(answer, "DELETE/kmeans/jobs/7")
    assert opens(answer, "POST/kmeans/upload")


def test_the_scheme_is_read_in_any_case(table: TokenTable) -> None:
    token, _ = table.create("alice", "laptop")
    assert opens(ask(f"bEARER  {token}"), "GET/kmeans/jobs")


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer km_",
        "Bearer " + "a" * 46,
        "Bearer km_" + "a" * 43,
        "Bearer km_" + "a" * 42 + "é",
        "Bearer km_" + "a" * 100_000,
        "Token km_" + "a" * 43,
        "Basic !",
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"no colon").decode(),
        "AWS4-HMAC-SHA256 Credential=x",
    ],
)
def test_anything_else_opens_nothing(table: TokenTable, authorization: str | None) -> None:
    table.create("alice", "laptop")
    answer = ask(authorization)
    [statement] = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert answer["context"] == {}


def test_a_digest_is_no_token(table: TokenTable) -> None:
    token, _ = table.create("alice", "laptop")
    assert not opens(ask(f"Bearer {tokens.digest(token)}"), "GET/kmeans/jobs")
    assert not opens(ask(f"Bearer T#{tokens.digest(token)}"), "GET/kmeans/jobs")


def test_a_browser_sees_the_pages_with_the_token_as_a_password_and_no_data(
    table: TokenTable,
) -> None:
    """It sends the password with whatever another site makes it send."""
    token, _ = table.create("alice", "laptop")
    answer = ask(basic(token), "GET/kmeans/ui/")
    for route in ("ui", "ui/", "ui/swagger-ui.css", "openapi.json"):
        assert opens(answer, f"GET/kmeans/{route}"), route
    for route in ("GET/kmeans/jobs", "POST/kmeans/upload", "POST/kmeans/ui/", "GET/kmeans/uix"):
        assert not opens(answer, route), route


def test_a_revoked_token_opens_nothing_and_stays_in_the_list(table: TokenTable) -> None:
    token, entry = table.create("alice", "laptop")
    other, _ = table.create("alice", "desk")
    table.revoke(entry.token_id)
    assert not opens(ask(f"Bearer {token}"), "GET/kmeans/jobs")
    assert opens(ask(f"Bearer {other}"), "GET/kmeans/jobs")
    states = {found.label: found.state.split()[0] for found in table.entries()}
    assert states == {"laptop": "revoked", "desk": "valid"}


def test_revoking_twice_keeps_the_first_day_and_revoking_nothing_says_so(
    table: TokenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, entry = table.create("alice", "laptop")
    first = table.revoke(entry.token_id)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 10 * 86_400)
    assert table.revoke(entry.token_id).revoked_at == first.revoked_at
    with pytest.raises(Refused, match="no token with the id"):
        table.revoke("ffffffff")


def test_a_token_ends_on_its_day_even_while_its_item_is_still_there(
    table: TokenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, entry = table.create("alice", "laptop", days=1)
    assert opens(ask(f"Bearer {token}"), "GET/kmeans/jobs")
    ends = entry.expires_at
    assert ends is not None
    monkeypatch.setattr(time, "time", lambda: ends - 0.001)
    assert opens(ask(f"Bearer {token}"), "GET/kmeans/jobs")
    monkeypatch.setattr(time, "time", lambda: float(ends))
    assert not opens(ask(f"Bearer {token}"), "GET/kmeans/jobs")
    assert entry.state.startswith("expired")
    assert [found.state.split()[0] for found in table.entries()] == ["expired"]


def test_where_access_is_open_everybody_is_the_default_owner(
    aws: Any,  # noqa: ARG001 (the settings come with it)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCESS", "OPEN")
    monkeypatch.setenv("DEFAULT_OWNER", "public")
    config.settings.cache_clear()
    answer = ask(None)
    assert answer["context"] == {"owner": "public"}
    assert opens(answer, "POST/kmeans/upload")


def test_open_without_an_owner_opens_nothing(
    table: TokenTable,  # noqa: ARG001 (which takes the default owner away)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCESS", "OPEN")
    config.settings.cache_clear()
    assert not opens(ask(None), "GET/kmeans/jobs")


def test_no_log_line_holds_a_token_or_its_digest(
    table: TokenTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    for handler in logger().handlers:
        monkeypatch.setattr(handler, "stream", log)
    token, _ = table.create("alice", "laptop")
    for authorization in (f"Bearer {token}", basic(token), f"Bearer {token}x", f"Token {token}"):
        ask(authorization)
    said = log.getvalue()
    assert said.count('"message":"authorized"') == 2
    assert said.count('"message":"refused"') == 2
    for secret in (token, token.removeprefix("km_"), tokens.digest(token), basic(token)[6:]):
        assert secret not in said
