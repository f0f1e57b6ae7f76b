"""`preprocessing`: what a fit makes of a table before it clusters, as it may come over REST."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.json_values import is_integer, shown

type ColumnRef = str | int
"""A column by its name, or by its number from 1."""

_CHOICES = {
    "missing": ("mean", "median", "drop", "refuse"),
    "categories": ("leave_out", "one_hot"),
    "scaling": ("none", "standard", "min_max", "robust"),
    "normalize": ("none", "l2"),
}
_COLUMNS = '"auto", "all", an array of names or of numbers from 1, or {"leave_out": such an array}'


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is asked for, every default filled in.

    columns        "auto" leaves out what no measure is, "all" takes every column as numbers
    chosen         exactly these columns, where they are listed
    leave_out      these besides what "auto" leaves out
    missing        a missing cell of a used column becomes its mean or its median, its row is
                   dropped, or the fit is refused
    categories     columns of text are left out, or become indicators
    scaling        scikit-learn's StandardScaler, MinMaxScaler or RobustScaler
    normalize      each row to length 1
    weight_column  how much each row counts
    """

    columns: str = "auto"
    chosen: tuple[ColumnRef, ...] | None = None
    leave_out: tuple[ColumnRef, ...] = ()
    missing: str = "mean"
    categories: str = "leave_out"
    scaling: str = "none"
    normalize: str = "none"
    weight_column: ColumnRef | None = None

    def as_json(self) -> dict[str, Any]:
        """As it is asked for; `parse_preprocessing` reads it back."""
        asked = asdict(self)
        chosen, leave_out = asked.pop("chosen"), asked.pop("leave_out")
        if chosen is not None:
            asked["columns"] = list(chosen)
        elif leave_out:
            asked["columns"] = {"leave_out": list(leave_out)}
        return asked

    def said(self) -> dict[str, Any]:
        """Only what is not the default; `parse_preprocessing` reads it back, too."""
        default = DEFAULT.as_json()
        return {name: value for name, value in self.as_json().items() if value != default[name]}

    def canonical(self) -> str:
        """The same text for the same request, in one order."""
        return json.dumps(self.said(), sort_keys=True, separators=(",", ":"))


DEFAULT = Preprocessing()
# Today's strict reading: a matrix of numbers without gaps.
STRICT = Preprocessing(columns="all", missing="refuse")


def parse_preprocessing(given: Any) -> Preprocessing:
    """Raises InvalidParameter that names field, found and allowed."""
    if not isinstance(given, Mapping):
        raise refused("", shown(given), "an object")
    known = ("columns", *_CHOICES, "weight_column")
    for name in given:
        if name not in known:
            raise InvalidParameter(
                f"preprocessing has the unknown field {quoted(str(name))}; "
                f"allowed are {', '.join(known)}",
                field=f"preprocessing.{str(name)[:100]}",
                allowed=", ".join(known),
            )
    choices: dict[str, Any] = {
        name: _choice(name, given[name]) for name in _CHOICES if name in given
    }
    weight = given.get("weight_column")
    if weight is not None:
        weight = _reference("weight_column", weight, "null, a column's name or its number from 1")
    return Preprocessing(**choices, **_columns(given.get("columns", "auto")), weight_column=weight)


def _choice(name: str, value: Any) -> str:
    allowed = _CHOICES[name]
    if not isinstance(value, str) or value not in allowed:
        raise refused(name, shown(value), ", ".join(f'"{choice}"' for choice in allowed))
    return value


def _columns(value: Any) -> dict[str, Any]:
    if value in ("auto", "all") and isinstance(value, str):
        return {"columns": value}
    if isinstance(value, list):
        return {"columns": "chosen", "chosen": _references("columns", value)}
    if isinstance(value, dict) and set(value) == {"leave_out"}:
        listed = value["leave_out"]
        if isinstance(listed, list):
            return {"leave_out": _references("columns.leave_out", listed)}
    raise refused("columns", shown(value), _COLUMNS)


def _references(field: str, listed: list[Any]) -> tuple[ColumnRef, ...]:
    if not listed:
        raise refused(field, "an empty array", "at least one column")
    found = tuple(
        _reference(f"{field}[{index}]", value, "a column's name or its number from 1")
        for index, value in enumerate(listed)
    )
    seen: set[ColumnRef] = set()
    for index, value in enumerate(found):
        if value in seen:
            raise refused(f"{field}[{index}]", f"{shown(value)} once more", "each column once")
        seen.add(value)
    return found


def _reference(field: str, value: Any, allowed: str) -> ColumnRef:
    if isinstance(value, str) and value:
        return value
    if is_integer(value) and value >= 1:
        return int(value)
    raise refused(field, shown(value), allowed)


def refused(name: str, found: str, allowed: str, **members: Any) -> InvalidParameter:
    field = f"preprocessing.{name}" if name else "preprocessing"
    return InvalidParameter(
        f"{field} is {found}; allowed is {allowed}", field=field, allowed=allowed, **members
    )
