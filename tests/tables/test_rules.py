"""Which columns are used: the first rule that holds for each."""

from typing import Any

import pytest

from harness.data.plans import planned, rows
from kmeans_service.errors import InvalidParameter
from kmeans_service.recipes.plan import LEFT_OUT, USED, Plan


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
        ([5, 5], "x", (LEFT_OUT, "constant")),
        ([5], "x", (USED, "numbers")),
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
        ([4, 9, 2], "no", (LEFT_OUT, "identifier")),
        ([4, 9, 4], "no", (USED, "numbers")),
        ([4, 9, 2], "size index", (LEFT_OUT, "identifier")),
        ([4, 9, 4], "size index", (USED, "numbers")),
        ([4, "", 9], "size index", (LEFT_OUT, "identifier")),
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
