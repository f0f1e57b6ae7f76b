"""`make token`: makes, lists and revokes API tokens of the running service, or of a stack on AWS.

    make token ARGS='create --owner alice --label laptop --days 90'
    make token ARGS='list --stack kmeans'
    make token ARGS='revoke 3f9c… --stack kmeans'

A new token is written to standard output, once and alone; all else that is said goes to standard
error, so that `TOKEN=$(make -s token ARGS=…)` holds the token.
"""

import argparse
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.conditions import Attr, Key
from botocore.exceptions import BotoCoreError, ClientError

from kmeans_service.http.access import OWNER
from kmeans_service.owners import tokens
from kmeans_service.table.expressions import NOT_THERE, Rendered, sets
from kmeans_service.table.keys import TOKENS, token_key, token_list_key
from kmeans_service.table.values import marshal, unmarshal
from local import deployment, exports, settings

SECONDS_OF_DAY = 86_400
MAX_LABEL_LENGTH = 100
CACHED = "Whoever used it within the last five minutes may go on for the rest of these."


class Refused(Exception):
    """It cannot be done; the message is the sentence the user sees."""


@dataclass(frozen=True)
class Entry:
    """A token as it is listed; times are epoch seconds, None for never."""

    token_id: str
    owner: str
    label: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None

    @property
    def state(self) -> str:
        if self.revoked_at:
            return f"revoked {_day(self.revoked_at)}"
        if self.expires_at is None:
            return "valid"
        word = "until" if self.expires_at > time.time() else "expired"
        return f"{word} {_day(self.expires_at)}"


class TokenTable:
    """The tokens in the table of one deployment."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def create(self, owner: str, label: str, days: int | None = None) -> tuple[str, Entry]:
        """A new token, which nobody can be told of again, and its entry."""
        token = tokens.new_token()
        now = int(time.time())
        ends = now + days * SECONDS_OF_DAY if days else None
        entry = Entry(secrets.token_hex(4), owner, label, now, ends)
        sha256 = tokens.digest(token)
        known = token_key(sha256) | marshal({"owner": owner, "expires_at": ends})
        # The list's entry does not expire: it is the record of what was given to whom.
        listed = token_list_key(entry.token_id) | marshal(
            {"owner": owner, "label": label, "created_at": now, "ends_at": ends, "sha256": sha256}
        )
        new = self._request(Rendered().condition("ConditionExpression", NOT_THERE))
        self._dynamodb.transact_write_items(
            TransactItems=[{"Put": new | {"Item": item}} for item in (known, listed)]
        )
        return token, entry

    def entries(self) -> Iterator[Entry]:
        all_of_them = Rendered().condition("KeyConditionExpression", Key("pk").eq(TOKENS))
        query = self._request(all_of_them) | {"ConsistentRead": True}
        for page in self._dynamodb.get_paginator("query").paginate(**query):
            yield from (_entry(unmarshal(item)) for item in page["Items"])

    def revoke(self, token_id: str) -> Entry:
        """The entry as it is now; a second time changes nothing. Raises Refused for no entry."""
        listed = self._listed(token_id)
        if "revoked_at" not in listed:
            listed = self._revoked(token_id, listed["sha256"])
        return _entry(listed)

    def _revoked(self, token_id: str, sha256: str) -> dict[str, Any]:
        first = Rendered().condition("ConditionExpression", Attr("revoked_at").not_exists())
        revoke = self._request(first.change(sets(revoked_at=int(time.time()))))
        forget = self._request(Rendered()) | {"Key": token_key(sha256)}
        actions = [{"Delete": forget}, {"Update": revoke | {"Key": token_list_key(token_id)}}]
        try:
            self._dynamodb.transact_write_items(TransactItems=actions)
        except self._dynamodb.exceptions.TransactionCanceledException:
            if "revoked_at" not in self._listed(token_id):  # else somebody was faster
                raise
        return self._listed(token_id)

    def _request(self, rendered: Rendered) -> dict[str, Any]:
        return {"TableName": self._table, **rendered.arguments}

    def _listed(self, token_id: str) -> dict[str, Any]:
        key = token_list_key(token_id)
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        if not (item := unmarshal(answer.get("Item") or {})):
            raise Refused(f"There is no token with the id {token_id!r}; `list` shows the ids.")
        return item


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(
        item["sk"],
        item["owner"],
        item["label"],
        item["created_at"],
        item.get("ends_at"),
        item.get("revoked_at"),
    )


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


# --- which deployment -------------------------------------------------------------


def table_of(stack: str | None) -> TokenTable:
    """That of a stack on AWS, or of the service that runs here; raises Refused."""
    return _table_on_aws(stack) if stack else _table_of_running()


def _table_of_running() -> TokenTable:
    chosen = settings.from_environment()
    try:
        variables = exports.variables_of_running(chosen)
    except settings.StartRefused as refusal:
        raise Refused(f"{refusal} Or name a stack on AWS: --stack NAME.") from None
    running = exports.settings_of_running(chosen)
    return TokenTable(deployment.client("dynamodb", running), variables["JOBS_TABLE"])


def _table_on_aws(stack: str) -> TokenTable:
    try:
        found = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except (BotoCoreError, ClientError) as error:
        raise Refused(f"The stack {stack} cannot be read: {error}") from error
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in found["Stacks"][0]["Outputs"]}
    return TokenTable(boto3.client("dynamodb"), outputs["JobsTableName"])


# --- the command ------------------------------------------------------------------


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make token", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="make a token and print it, once")
    create.add_argument("--owner", required=True, type=_owner, help="whose jobs it opens")
    create.add_argument("--label", default="", type=_label, help="what it is for")
    create.add_argument("--days", type=_days, help="days until it expires; never, if not given")
    commands.add_parser("list", help="show all tokens, but not what they are")
    commands.add_parser("revoke", help="make a token worthless").add_argument("id")
    for command in commands.choices.values():
        command.add_argument("--stack", help="a stack on AWS instead of the service that runs here")
    return parser.parse_args(arguments)


def _owner(text: str) -> str:
    if not OWNER.fullmatch(text):
        raise argparse.ArgumentTypeError("an owner has 1 to 64 letters, digits, _ and -")
    return text


def _label(text: str) -> str:
    if len(text) > MAX_LABEL_LENGTH or not text.isprintable():
        raise argparse.ArgumentTypeError(
            f"a label has up to {MAX_LABEL_LENGTH} printable characters"
        )
    return text


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError("days are a whole number from 1 to 3650")
    return int(text)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _run(given: argparse.Namespace) -> None:
    table = table_of(given.stack)
    match given.command:
        case "create":
            token, entry = table.create(given.owner, given.label, given.days)
            _say(f"Token {entry.token_id} of {entry.owner}, {entry.state}. It is shown only here:")
            print(token)
        case "list":
            for entry in sorted(table.entries(), key=lambda entry: entry.created_at):
                parts = (entry.token_id, entry.owner, _day(entry.created_at), entry.state)
                print("\t".join((*parts, entry.label)))
        case "revoke":
            entry = table.revoke(given.id)
            _say(f"Token {entry.token_id} of {entry.owner} is {entry.state}. {CACHED}")


def main(arguments: list[str]) -> int:
    given = _arguments(arguments)
    try:
        _run(given)
    except (Refused, settings.StartRefused) as refusal:
        _say(str(refusal))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
