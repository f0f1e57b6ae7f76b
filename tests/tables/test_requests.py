"""What may be asked of a plan, and what it comes to for real tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.data.plans import planned, rows
from kmeans_service.errors import InvalidParameter
from kmeans_service.recipes.plan import LEVELS, USED, WEIGHT, plan
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT, Preprocessing, parse_preprocessing
from kmeans_service.tables.cells import N_KINDS
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.profile import columns_of
from kmeans_service.tables.survey import Counts, Place
from kmeans_service.tables.table import Table

PLANS = Path(__file__).parent / "plans"
TEXT = "id,age,income,city,w\n7,20,1.5,A,1\n9,30,NA,B,2\n4,40,3.5,,0\n"


def test_columns_by_name_by_number_and_left_out() -> None:
    assert [c.name for c in planned(TEXT, columns=["age", 3]).of(USED)] == ["age", "income"]
    assert [c.name for c in planned(TEXT, columns={"leave_out": ["age"]}).of(USED)] == [
        "income",
        "w",
    ]
    found = planned(TEXT, columns=["city", "age"], categories="one_hot")
    assert [c.name for c in found.of(LEVELS)] == ["city"]
    weighted = planned(TEXT, weight_column="w")
    assert [c.name for c in weighted.of(WEIGHT)] == ["w"]
    assert [c.name for c in weighted.of(USED)] == ["age", "income"]


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        (
            {"columns": ["age", "rent"]},
            "columns[1]",
            "'rent', which no column is named; allowed is one of",
        ),
        ({"columns": [9]}, "columns[0]", "9; allowed is a number from 1 to 5"),
        ({"columns": ["age", "age"]}, "columns[1]", "each column once"),
        ({"columns": ["age", 2]}, "columns[1]", "each column once"),
        ({"columns": []}, "columns", "at least one column"),
        ({"columns": [True]}, "columns[0]", "true; allowed is a column's name"),
        ({"columns": "some"}, "columns", '"some"; allowed is "auto"'),
        ({"columns": {"leave": []}}, "columns", "allowed is"),
        ({"columns": ["city"]}, "columns", "leave the column out"),
        ({"columns": "all"}, "columns", "line 2, column 4: 'A'"),
        ({"columns": ["age", "w"], "weight_column": "w"}, "columns[1]", "which is weight_column"),
        ({"weight_column": "income"}, "weight_column", "missing cells"),
        ({"weight_column": "city"}, "weight_column", "holds text"),
        ({"weight_column": "x"}, "weight_column", "no column is named"),
        ({"columns": {"leave_out": ["age", "income", "w", "id"]}}, "columns", "no column is left"),
        ({"missing": "refuse"}, "missing", "line 3, column 3: a cell of the column 'income'"),
        ({"missing": "zero"}, "missing", '"zero"; allowed is "mean", "median"'),
        ({"scaling": None}, "scaling", "null; allowed is"),
        ({"scale": "none"}, "scale", "unknown field 'scale'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_field_found_and_allowed(
    asked: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        planned(TEXT, **asked)
    assert refusal.value.members["field"] == f"preprocessing.{field}"
    assert words in refusal.value.detail


@pytest.mark.parametrize(("weights", "words"), [([1, -1], "least number is -1"), ([0, 0], "all 0")])
def test_weights_are_not_negative_and_not_all_zero(weights: list[int], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        planned(rows("x,w", [1.5, 2.5], weights), weight_column="w")


def test_a_request_has_one_canonical_form_and_defaults_are_none_of_it() -> None:
    assert parse_preprocessing({"missing": "mean", "columns": "auto"}).canonical() == "{}"
    asked = parse_preprocessing({"scaling": "standard", "columns": {"leave_out": ["a", 3]}})
    assert asked.canonical() == '{"columns":{"leave_out":["a",3]},"scaling":"standard"}'
    assert parse_preprocessing(asked.as_json()) == asked
    assert Preprocessing() == DEFAULT
    assert STRICT.canonical() == '{"columns":"all","missing":"refuse"}'


def test_what_a_practitioner_would_want_to_know_is_said() -> None:
    found = planned(
        rows(
            "year,gap,freq,class",
            [2001.5, 2002, 2003] * 10,
            [1.5] + [""] * 20 + [2.5] * 9,
            [100, 2000, 30] * 10,
            [1, 2, 2] * 10,
        )
    ).warnings
    for said in (
        "'year' is used",
        "'gap' is missing in 20 of 30",
        "'class' holds whole numbers of 2",
        "'freq' may say how much",
        "'freq' holds 100% of the variance",
    ):
        assert any(said in warning for warning in found), (said, found)


def real_tables() -> dict[str, Table]:
    """The profiles of 100 tables of R's packages, as `read_table` found them."""
    documents = json.loads((PLANS / "profiles.json").read_text())
    return {name: _table(document) for name, document in documents.items()}


def _table(document: dict[str, Any]) -> Table:
    counts = [_counts(column) for column in document["columns"]]
    names = [column[0] for column in document["columns"]]
    dialect = Dialect(n_cells=len(names), header=True, row_names=document["row_names"])
    return Table(dialect, columns_of(names, counts, len(names)), 2, document["rows"], 0, ())


def _counts(column: list[Any]) -> Counts:
    _, kinds, counted, distinct, constant, numbers, other, missing = column
    return Counts(
        tuple(kinds) + (0,) * (N_KINDS - len(kinds)), *counted, distinct, bool(constant), 0,
        *numbers, missing=Place(missing, "") if missing else None, boolean=None,
        other=Place(*other) if other else None,
    )  # fmt: skip


def by_hand() -> dict[str, set[str]]:
    """Of each table the columns that a statistician would use."""
    found = {}
    for line in (PLANS / "by_hand.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        name, _, rest = line.partition(": ")
        use, *others = rest.split("; ")
        columns = set(use.split()) | {
            other.partition(": ")[0] for other in others if ": used as" in other
        }
        found[name] = columns if use != "all V1 to V57" else {f"V{n}" for n in range(1, 58)}
    return found


def test_the_plan_of_100_real_tables_is_what_a_statistician_would_use() -> None:
    expected, tables = by_hand(), real_tables()
    reasons = {
        line.partition(":")[0]: set(line.partition(":")[2].partition("|")[0].split())
        for line in (PLANS / "differences.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    assert len(expected) == 100
    assert set(expected) == set(tables)
    differences = {}
    for name, columns in expected.items():
        used = {column.name for column in plan(tables[name], DEFAULT).of(USED)}
        if used != columns:
            differences[name] = used ^ columns
    assert differences == reasons


@pytest.mark.parametrize(("n_columns", "more"), [(5, False), (6, True)])
def test_of_columns_that_are_all_left_out_five_are_named(n_columns: int, more: bool) -> None:
    names = [f"c{n}" for n in range(n_columns)]
    with pytest.raises(InvalidParameter) as refusal:
        planned(rows(",".join(names), *[[1.5, 7]] * n_columns), columns={"leave_out": names})
    told = refusal.value.detail
    assert [f"'{name}'" in told for name in names] == [True] * 5 + [False] * (n_columns - 5)
    assert ("; …" in told) == more
