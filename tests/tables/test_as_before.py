"""What the service has read until now is read alike, bit by bit."""

import io

import numpy as np
import pytest
from hypothesis import given, settings

from harness.data.csv_cases import VALID, bits, files
from kmeans_service.errors import ServiceError
from kmeans_service.recipes.plan import plan
from kmeans_service.recipes.preprocessing import DEFAULT, STRICT
from kmeans_service.tables.cells import is_number
from kmeans_service.tables.columns import Layout, Role, read_columns
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dataset import parse_csv
from kmeans_service.tables.table import Table, read_table


def read(body: bytes) -> tuple[Table, np.ndarray]:
    limits = CsvLimits()
    table = read_table(lambda: io.BytesIO(body), limits=limits)
    layout = Layout((Role.NUMBER,) * table.dialect.n_cells)
    return table, read_columns(lambda: io.BytesIO(body), table.dialect, layout, table.n_rows)


@pytest.mark.parametrize(("body", "names", "rows"), VALID)
def test_every_file_of_the_strict_grammar_is_read_as_it_was(
    body: bytes, names: tuple[str, ...] | None, rows: list[list[float]]
) -> None:
    table, X = read(body)
    assert table.dialect.header == (names is not None)
    assert [column.name for column in table.columns] == [
        " ".join(name.split()) for name in names or ()
    ] or [None] * len(rows[0])
    np.testing.assert_array_equal(bits(X), bits(np.array(rows, dtype=float) + 0.0))
    assert plan(table, STRICT).is_whole
    if names is None:
        assert plan(table, DEFAULT).is_whole


@pytest.mark.thorough
@settings(max_examples=600, deadline=None)
@given(files())
def test_whatever_the_strict_grammar_takes_is_taken_with_the_same_bits(body: bytes) -> None:
    try:
        before = parse_csv(body)
    except ServiceError:
        return
    if any(map(is_a_row_of_numbers, before.feature_names or ())):
        return  # see below
    table, X = read(body)
    assert table.dialect.header == (before.feature_names is not None)
    np.testing.assert_array_equal(bits(X), bits(before.X))


def is_a_row_of_numbers(name: str) -> bool:
    parts = [name.split(delimiter) for delimiter in ";\t|" if delimiter in name]
    return any(all(is_number(part.strip(), ".") for part in each) for each in parts)


def test_a_first_row_of_numbers_between_tabs_is_not_taken_for_a_name_any_more() -> None:
    """The strict grammar knows no tabs: there it is the name of one column of numbers."""
    body = b"1\t0\n5\t\n"
    assert parse_csv(body).feature_names == ("1\t0",)
    table, X = read(body)
    assert not table.dialect.header
    np.testing.assert_array_equal(X, [[1, 0], [5, np.nan]])
