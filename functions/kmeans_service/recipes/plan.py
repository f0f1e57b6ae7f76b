"""Which columns of a table a fit uses, and why: pure functions of its profile."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.recipes import levels, rules
from kmeans_service.recipes.planned import Planned
from kmeans_service.recipes.preprocessing import ColumnRef, Preprocessing, refused
from kmeans_service.recipes.warnings import warnings_of
from kmeans_service.tables.profile import MIXED, NUMBERS, TEXT, Column
from kmeans_service.tables.table import Table

USED, LEVELS, WEIGHT, LEFT_OUT = "used", "levels", "weight", "left_out"
# Of a column because of which the fit is refused.
REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """A role for each column, in the file's order, and what a practitioner would want to know.

    n_features   of what is clustered: columns of numbers, and indicators of categories, at most
    """

    columns: tuple[Planned, ...]
    warnings: tuple[str, ...]
    n_features: int

    def of(self, *roles: str) -> list[Column]:
        return [planned.column for planned in self.columns if planned.role in roles]

    @property
    def is_whole(self) -> bool:
        """Whether every column is used as numbers: such a fit is the one of a plain matrix."""
        return all(planned.role == USED for planned in self.columns)


def plan(table: Table, asked: Preprocessing) -> Plan:
    """The plan of a fit; raises InvalidParameter where the table cannot be fitted so.

    Its message names the field, or the cell, and the ways on.
    """
    planned = roles(table, asked)
    refused = next((found.column for found in planned if found.role == REFUSED), None)
    if refused is not None:
        raise _mixed(refused, table)
    used = [found.column for found in planned if found.role in (USED, LEVELS)]
    if not used:
        raise _nothing_left(planned)
    if asked.missing == "refuse":
        _check_complete(used)
    return Plan(planned, warnings_of(planned, asked), _n_features(planned, asked))


def _n_features(planned: Sequence[Planned], asked: Preprocessing) -> int:
    missing = asked.missing != "drop"
    return sum(
        levels.most_indicators(each.column, missing=missing) if each.role == LEVELS else 1
        for each in planned
        if each.role in (USED, LEVELS)
    )


def roles(table: Table, asked: Preprocessing) -> tuple[Planned, ...]:
    """What becomes of each column, also where it makes the fit refused.

    Raises InvalidParameter for columns that are asked for and cannot be had.
    """
    columns = table.columns
    weight = _weight(columns, asked)
    others = [column for column in columns if column is not weight]
    if asked.chosen is not None:
        found = _chosen(table, others, asked)
    elif asked.columns == "all":
        reason = "every column is asked for"
        found = {column.number: _as_asked(column, table, asked, reason) for column in others}
    else:
        found = _auto(table, others, asked)
    if weight is not None:
        reason = "its numbers say how much each row counts"
        found[weight.number] = Planned(weight, WEIGHT, "weight", reason)
    return tuple(found[column.number] for column in columns)


def _auto(table: Table, others: Sequence[Column], asked: Preprocessing) -> dict[int, Planned]:
    find = _finder(table.columns)
    left = {find(ref, "columns.leave_out").number for ref in asked.leave_out}
    roles: dict[int, Planned] = {}
    plain = not table.dialect.header and all(column.kind == NUMBERS for column in others)
    first = rules.first_number_column(table)
    for column in others:
        if column.number in left:
            roles[column.number] = Planned(column, LEFT_OUT, "asked", "you asked to leave it out")
        elif plain:
            reason = "a file without a header, of numbers alone, is used whole"
            roles[column.number] = Planned(column, USED, "numbers", reason)
        else:
            rule, reason = rules.rule_of(column, table, first=column is first)
            roles[column.number] = _ruled(column, rule, reason, asked)
    return _with_one_column(roles, left)


def _ruled(column: Column, rule: str, reason: str, asked: Preprocessing) -> Planned:
    if rule == rules.MIXED_CELLS:
        return Planned(column, REFUSED, rule, reason)
    if rule == rules.WORDS and asked.categories == "one_hot":
        left_out = rules.why_no_category(column)
        if left_out:
            return Planned(column, LEFT_OUT, *left_out)
        return Planned(column, LEVELS, rule, "each of its texts becomes an indicator")
    return Planned(column, USED if rule in rules.USING else LEFT_OUT, rule, reason)


def _with_one_column(roles: dict[int, Planned], left: set[int]) -> dict[int, Planned]:
    """Where nothing is used, the last column of the first kind there is, in rules.LAST_RESORT."""
    if any(planned.role in (USED, LEVELS, REFUSED) for planned in roles.values()):
        return roles
    for rule in rules.LAST_RESORT:
        found = [
            planned
            for planned in roles.values()
            if planned.rule == rule
            and planned.column.number not in left
            and planned.column.kind != TEXT
            and not planned.column.n_others
        ]
        if found:
            column = found[-1].column
            reason = f"no other column is left, and so it is used, although {found[-1].reason}"
            return roles | {column.number: Planned(column, USED, "last_resort", reason)}
    return roles


def _chosen(table: Table, others: Sequence[Column], asked: Preprocessing) -> dict[int, Planned]:
    chosen: dict[int, Planned] = {}
    find, numbers = _finder(table.columns), {column.number for column in others}
    for index, ref in enumerate(asked.chosen or ()):
        field = f"columns[{index}]"
        column = find(ref, field)
        if column.number not in numbers:
            raise refused(field, f"{shown(column)}, which is weight_column", "a column to use")
        if column.number in chosen:
            raise refused(field, f"{shown(column)} once more", "each column once")
        chosen[column.number] = _as_asked(column, table, asked, "you asked for it")
    return {
        column.number: Planned(column, LEFT_OUT, "asked", "you asked for other columns")
        for column in others
    } | chosen


def _as_asked(column: Column, table: Table, asked: Preprocessing, reason: str) -> Planned:
    """A column that is asked for by itself: used, whatever it looks like, if it can be."""
    if column.kind == MIXED:
        raise _mixed(column, table)
    if column.kind == TEXT:
        if asked.categories == "one_hot":
            return _category_as_asked(column, reason)
        place = column.counts.other or column.counts.boolean
        where = f"line {place.line}, column {column.number}: " if place else ""
        found = quoted(place.text) if place else "it"
        raise InvalidParameter(
            f"{where}{found} in {shown(column)} is no number; leave the column out, ask for "
            '"categories": "one_hot", or make numbers of it before uploading',
            field="preprocessing.columns",
            line=place.line if place else None,
            column=column.number,
        )
    if not column.n_present:
        raise refused("columns", f"{shown(column)}, whose cells are all missing", "others")
    return Planned(column, USED, "asked", reason)


def _category_as_asked(column: Column, reason: str) -> Planned:
    many = rules.many_texts(column)
    if many:
        most = f"columns of at most {levels.MOST_TEXTS:,} different texts"
        raise refused("columns", f"{shown(column)}: {many[1]}", most, column=column.number)
    return Planned(column, LEVELS, "asked", reason)


def _weight(columns: Sequence[Column], asked: Preprocessing) -> Column | None:
    if asked.weight_column is None:
        return None
    column = _finder(columns)(asked.weight_column, "weight_column")
    allowed = "a column of numbers from 0 on, not all 0, none missing"
    found = None
    place = column.first_other or column.counts.missing
    line = place.line if place else None
    if column.kind != NUMBERS:
        where = f": {quoted(place.text)} in line {line}" if place else ""
        found = f"{shown(column)}, which holds {column.kind}{where}"
    elif column.n_missing:
        found = (
            f"{shown(column)}, which has {column.n_missing:,} missing cells, from line {line} on"
        )
    elif (column.least or 0.0) < 0:
        line = column.counts.least_line or None
        where = f" in line {line}" if line else ""
        found = f"{shown(column)}, whose least number is {column.least:g}{where}"
    elif not column.largest:
        found, line = f"{shown(column)}, whose numbers are all 0", None
    if found:
        raise refused("weight_column", found, allowed, line=line, column=column.number)
    return column


def _finder(columns: Sequence[Column]) -> Callable[[ColumnRef, str], Column]:
    """Finds the column of a name, or of a number from 1, or refuses the field that has it."""
    named = {column.name: column for column in columns if column.name}

    def find(ref: ColumnRef, field: str) -> Column:
        if isinstance(ref, str) and ref in named:
            return named[ref]
        if isinstance(ref, str):
            raise refused(field, f"{quoted(ref)}, which no column is named", _names_of(named))
        if ref > len(columns):
            raise refused(field, str(ref), f"a number from 1 to {len(columns)}")
        return columns[ref - 1]

    return find


def _names_of(named: Collection[str]) -> str:
    known = ", ".join(map(quoted, list(named)[:20])) + ", …" * (len(named) > 20)
    return f"one of the file's names: {known}" if named else "a number: the file has no names"


def _mixed(column: Column, table: Table) -> InvalidParameter:
    """A column of numbers in which something else stands: nobody may lose it to a typing error."""
    place = column.first_other
    if place is None:
        raise ValueError(f"column {column.number} has nothing but numbers")
    name = column.name if column.name else column.number
    what = rules.what_stands_there(place, table.first_line)
    return InvalidParameter(
        f"line {place.line}, column {column.number}: {quoted(place.text)} in {shown(column)} is no "
        f"number{what}, while {column.counts.kinds[0]:,} of its {column.n_present:,} cells are; "
        "mend the cell or empty it (then it is missing), or leave the column out: "
        f'"columns": {{"leave_out": [{json.dumps(name, ensure_ascii=False)}]}}',
        field="preprocessing.columns",
        line=place.line,
        column=column.number,
    )


def _check_complete(used: Sequence[Column]) -> None:
    for column in used:
        place = column.counts.missing
        if place:
            raise InvalidParameter(
                f"line {place.line}, column {column.number}: a cell of {shown(column)} is missing, "
                'and missing is "refuse"; "mean", "median" and "drop" take it',
                field="preprocessing.missing",
                line=place.line,
                column=column.number,
            )


def _nothing_left(planned: Sequence[Planned]) -> InvalidParameter:
    reasons = "; ".join(f"{shown(found.column)}: {found.reason}" for found in planned[:5])
    more = "; …" if len(planned) > 5 else ""
    return InvalidParameter(
        f"no column is left to use ({reasons}{more}); name those to use in columns",
        field="preprocessing.columns",
    )


def shown(column: Column) -> str:
    return f"the column {quoted(column.name)}" if column.name else f"column {column.number}"
