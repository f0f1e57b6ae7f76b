"""The plan of an auto fit: each rule, every request that can be refused, and 100 real tables."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from kmeans_service.errors import InvalidParameter
from kmeans_service.recipes.identifiers import is_identifier, words
from kmeans_service.recipes.plan import LEFT_OUT, LEVELS, USED, WEIGHT, Plan, plan
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT, Preprocessing, parse_preprocessing
from kmeans_service.tables.cells import N_KINDS
from kmeans_service.tables.dialect import Dialect
from kmeans_service.tables.profile import columns_of
from kmeans_service.tables.survey import Counts, Place
from kmeans_service.tables.table import Table, read_table

PLANS = Path(__file__).parent / "plans"


def table(text: str) -> Table:
    return read_table(lambda: io.BytesIO(text.encode()))


def rows(header: str, *columns: list[Any]) -> str:
    lines = [",".join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header, *lines])


def planned(text: str, **asked: Any) -> Plan:
    return plan(table(text), parse_preprocessing(asked))


def rules(found: Plan) -> list[tuple[str | None, str, str]]:
    return [(entry.column.name, entry.role, entry.rule) for entry in found.columns]


def rule(values: list[Any], name: str = "x") -> tuple[str, str]:
    """Of a second column, beside a first one that is used anyway."""
    found = planned(
        rows(f"a,{name}", [1.5, 1.25] * (len(values) // 2) + [7] * (len(values) % 2), values)
    )
    return found.columns[1].role, found.columns[1].rule


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        (["", "NA", "?"], "x", (LEFT_OUT, "empty")),
        ([5, 5, 5], "x", (LEFT_OUT, "constant")),
        ([5, "", 5], "x", (LEFT_OUT, "constant")),
        (["a", "a", "a"], "x", (LEFT_OUT, "constant")),
        ([20240131, 20240229, 15000101], "x", (LEFT_OUT, "date")),
        ([202401, 202412, 150001], "x", (LEFT_OUT, "date")),
        ([20241301, 20240229, 15000101], "x", (USED, "numbers")),
        (["01", "12", "99"], "x", (LEFT_OUT, "code")),
        (["01", "12", "999"], "x", (USED, "numbers")),
        ([1, 2, 3, 4, 5], "x", (LEFT_OUT, "row_numbers")),
        ([1, 2, 3, 4], "x", (USED, "numbers")),
        ([0, 1, 2, 3, 4], "x", (USED, "numbers")),
        (list(range(20)), "x", (LEFT_OUT, "row_numbers")),
        ([4, 9, 4], "user_id", (LEFT_OUT, "identifier")),
        ([4, 9, "x7"], "user_id", (LEFT_OUT, "identifier")),
        ([4.5, 9, 4], "user_id", (USED, "numbers")),
        ([0, 1, 0], "user_id", (USED, "numbers")),
        ([3, 5, 8] * 7, "year", (USED, "time")),
        (["TRUE", "FALSE", "TRUE"], "x", (USED, "numbers")),
        (["True", "FALSE", "True"], "x", (LEFT_OUT, "text")),
        (["Y", "Y", "N"], "x", (USED, "numbers")),
        (["M", "F", "M"], "x", (LEFT_OUT, "text")),
        (["red", "3", "blue"], "x", (LEFT_OUT, "text")),
        ([1, "", 3], "x", (USED, "numbers")),
    ],
)
def test_each_column_has_the_first_rule_that_holds(
    values: list[Any], name: str, expected: tuple[str, str]
) -> None:
    assert rule(values, name) == expected


def test_a_first_column_without_a_name_is_row_names() -> None:
    for header in (",x", '"",x', "Unnamed: 0,x"):
        found = planned(rows(header, [8, 2], [1.5, 2.5]))
        assert rules(found)[0][1:] == (LEFT_OUT, "row_names")


def test_a_first_column_of_numbers_that_rises_is_no_measure() -> None:
    rising = [index * index + 7 for index in range(20)]
    found = planned(rows("x,y", rising, rising))
    assert rules(found) == [("x", LEFT_OUT, "rising"), ("y", USED, "numbers")]
    assert "time" in planned(rows("hour,y", rising, rising)).columns[0].reason


def test_where_nothing_else_is_left_the_best_of_what_there_is_is_used_and_said() -> None:
    found = planned(rows("id,code", list(range(1, 7)), ["01", "02", "01", "02", "05", "01"]))
    assert rules(found) == [("id", USED, "last_resort"), ("code", LEFT_OUT, "code")]
    assert "no other column is left" in found.warnings[0]


def test_a_file_of_numbers_alone_without_a_header_is_used_whole() -> None:
    found = planned("1,5\n2,5\n3,5\n4,5\n5,5\n")
    assert [entry.role for entry in found.columns] == [USED, USED]
    assert found.is_whole


@pytest.mark.parametrize(
    ("values", "line", "words"),
    [
        ([1, 2, "x", 4], 4, "'x' in the column 'x' is no number, while 3 of its 4 cells are"),
        (["cm", 1, 2, 4], 2, "'cm' in the column 'x' is no number (a second header, or units)"),
        ([1, "$2", "$3", "$4"], 3, "(thousands, percent, currency or another decimal mark)"),
        ([1, 2, "TRUE", 4], 4, "'TRUE'"),
    ],
)
def test_a_column_of_numbers_with_something_else_in_it_refuses_the_fit(
    values: list[Any], line: int, words: str
) -> None:
    with pytest.raises(InvalidParameter) as refusal:
        rule(values)
    assert words in refusal.value.detail
    assert '"columns": {"leave_out": ["x"]}' in refusal.value.detail
    assert (refusal.value.members["line"], refusal.value.members["column"]) == (line, 2)


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "userId",
        "USER_ID",
        "patient.id",
        "zipCode",
        "zip",
        "fips",
        "countrycode",
        "Country_Code",
        "key",
        "nr",
        "fips_x",
        "ssn",
        "isbn",
        "subject",
        "firm",
        "home_state",
        "xCounty",
        "caseid",
        "idcase",
        "studyno",
        "hhnum",
        "rowcod",
        "item_no",
        "PIDNUM",
        "order.nr",
        "HTMLPageID",
    ],
)
def test_names_of_identifiers(name: str) -> None:
    assert is_identifier(name, [name], all_distinct=False)


@pytest.mark.parametrize(
    "name",
    [
        "num",
        "number",
        "pid",
        "mid",
        "hr",
        "week",
        "town",
        "rank",
        "no2",
        "age",
        "width",
        "price",
        "idle",
        "index_of_dispersion",
        "grid",
        "stateful",
        "percent_state_income",
        "video",
        "keyboard",
        "no",
        "index_price",
    ],
)
def test_names_of_measures(name: str) -> None:
    assert not is_identifier(name, [name], all_distinct=False)


def test_no_alone_is_an_identifier_only_where_it_is_no_answer() -> None:
    assert is_identifier("no", ["no", "x"], all_distinct=True)
    assert not is_identifier("no", ["no", "yes"], all_distinct=True)
    assert is_identifier("index", ["index"], all_distinct=False)
    assert is_identifier("row index", ["x"], all_distinct=True)
    assert not is_identifier("price index", ["x"], all_distinct=False)


def test_names_are_split_where_a_reader_would() -> None:
    assert words("HTMLPageID") == ["html", "page", "id"]
    assert words("no2.max_value") == ["no2", "max", "value"]


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
        ({"columns": ["city"]}, "columns", "one_hot"),
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
