"""What a write does to an item, and under which condition: small values, rendered at the end.

    sets(status="RUNNING", due_at=7) | adds(fence=1) | removes("crash")
    Attr("status").eq("QUEUED") & Attr("attempt").lt(3)

Conditions are boto3's. Names and values travel as placeholders, so that no attribute can be taken
for one of the words that DynamoDB reserves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

from boto3.dynamodb.conditions import Attr, ConditionBase, ConditionExpressionBuilder

from kmeans_service.table.values import marshal

# An attribute, or the names that lead to what is inside of a map.
type Path = str | tuple[str, ...]
type Condition = ConditionBase

THERE = Attr("pk").exists()
NOT_THERE = Attr("pk").not_exists()


@dataclass(frozen=True)
class Change:
    """Attributes that an update sets, numbers that it adds to others, and what it removes.

    `a | b` does both; where they name the same attribute, `b` decides.
    """

    sets: Mapping[Path, Any] = field(default_factory=dict)
    adds: Mapping[Path, int] = field(default_factory=dict)
    removes: tuple[Path, ...] = ()

    def __or__(self, other: "Change") -> "Change":
        decided = {*other.sets, *other.adds, *other.removes}
        return Change(
            _without(decided, self.sets) | dict(other.sets),
            _without(decided, self.adds) | dict(other.adds),
            (*(path for path in self.removes if path not in decided), *other.removes),
        )


def _without(decided: set[Path], values: Mapping[Path, Any]) -> dict[Path, Any]:
    return {path: value for path, value in values.items() if path not in decided}


def sets(**values: Any) -> Change:
    return Change(sets=dict(values.items()))


def adds(**numbers: int) -> Change:
    return Change(adds=dict(numbers.items()))


def removes(*paths: Path) -> Change:
    return Change(removes=paths)


def has(values: Mapping[str, Any]) -> Condition:
    """The attributes have these values; None: there is no such attribute."""
    return all_of(
        Attr(name).not_exists() if value is None else Attr(name).eq(value)
        for name, value in values.items()
    )


def all_of(conditions: Iterable[Condition]) -> Condition:
    return reduce(and_, conditions)


class Rendered:
    """Expressions of one request, with the names and values that they share."""

    def __init__(self) -> None:
        self._arguments: dict[str, Any] = {}
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._builder = ConditionExpressionBuilder()

    def condition(self, argument: str, condition: Condition | None) -> "Rendered":
        """Under the name that DynamoDB's API has for it; without a condition, nothing."""
        if condition is not None:
            is_key = argument == "KeyConditionExpression"
            text, names, values = self._builder.build_expression(condition, is_key)
            self._arguments[argument] = text
            self._names |= names
            self._values |= values
        return self

    def change(self, change: Change) -> "Rendered":
        clauses = {
            "SET": [f"{self._path(path)} = {self._value(to)}" for path, to in change.sets.items()],
            "ADD": [f"{self._path(path)} {self._value(by)}" for path, by in change.adds.items()],
            "REMOVE": [self._path(path) for path in change.removes],
        }
        texts = (f"{verb} {', '.join(parts)}" for verb, parts in clauses.items() if parts)
        self._arguments["UpdateExpression"] = " ".join(texts)
        return self

    @property
    def arguments(self) -> dict[str, Any]:
        """DynamoDB takes no names and no values where there are none."""
        given = {
            "ExpressionAttributeNames": self._names,
            "ExpressionAttributeValues": marshal(self._values),
        }
        return self._arguments | {name: each for name, each in given.items() if each}

    def _path(self, path: Path) -> str:
        return ".".join(self._name(part) for part in ((path,) if isinstance(path, str) else path))

    def _name(self, name: str) -> str:
        """The same placeholder for the same name: an expression has 4 KB at most."""
        known = {real: placeholder for placeholder, real in self._names.items()}
        placeholder = known.get(name) or f"#c{len(self._names)}"
        self._names[placeholder] = name
        return placeholder

    def _value(self, value: Any) -> str:
        placeholder = f":c{len(self._values)}"
        self._values[placeholder] = value
        return placeholder
