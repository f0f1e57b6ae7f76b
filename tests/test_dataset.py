import io
import re
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.csv_cases import VALID, bits, files, outcome
from kmeans_service.errors import InvalidCsv
from kmeans_service.tables import csv_grammar
from kmeans_service.tables.csv_lines import CsvLimits
from kmeans_service.tables.dataset import parse_csv, read_blocks, read_csv


@pytest.mark.parametrize(("body", "names", "rows"), VALID)
def test_what_the_grammar_allows_is_read_as_written(
    body: bytes, names: tuple[str, ...] | None, rows: list[list[float]]
) -> None:
    dataset = parse_csv(body)
    assert dataset.feature_names == names
    assert dataset.X.dtype == np.float64
    assert dataset.X.flags.c_contiguous
    assert dataset.X.flags.writeable
    np.testing.assert_array_equal(dataset.X, np.array(rows, dtype=float))


def shape_of(body: bytes, limits: CsvLimits) -> object:
    shape = csv_grammar.check(body, limits)
    return shape.feature_names, (shape.n_samples, shape.n_features)


def parsed_shape(body: bytes, limits: CsvLimits) -> object:
    dataset = parse_csv(body, limits)
    return dataset.feature_names, dataset.X.shape


@pytest.mark.thorough
@settings(max_examples=600)
@given(files(), st.sampled_from([1000, 1000, 3]), st.sampled_from([5, 30, 1024]))
def test_checking_and_parsing_accept_the_same_files_and_refuse_them_alike(
    body: bytes, rows: int, cell_length: int
) -> None:
    limits = CsvLimits(rows=rows, cell_length=cell_length)
    assert outcome(parsed_shape, body, limits) == outcome(shape_of, body, limits)


_decimals = st.one_of(
    st.floats(-1e100, 1e100).map(repr),
    st.floats(-1e3, 1e3).map("{:.18e}".format),
    st.floats(-1e30, 1e30).map("{:.25f}".format),
    st.integers(-(2**66), 2**66).map(str),
    st.from_regex(
        r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
    ).filter(lambda text: abs(float(text)) <= 1e100),
)


@pytest.mark.thorough
@settings(max_examples=300)
@given(st.lists(_decimals, min_size=1, max_size=30))
def test_every_value_is_the_double_that_float_reads(cells: list[str]) -> None:
    X = parse_csv("\n".join(cells).encode()).X
    np.testing.assert_array_equal(bits(X[:, 0]), bits([float(cell) + 0.0 for cell in cells]))


@pytest.mark.parametrize(
    "cell",
    [
        "2.2250738585072011e-308",  # the largest subnormal, famous for endless loops
        "4.9406564584124654e-324",
        "2.4703282292062327e-324",  # just below half of the smallest double
        "2.4703282292062328e-324",
        "9007199254740992.5",
        "9007199254740993.0",
        "9007199254740993.00000000000000000000000000000000000001",
        "0.500000000000000166533453693773481063544750213623046875",
        "6929495644600919.5",
        "8.533e+68",
        "1.00000000000000011102230246251565404236316680908203125",  # halfway: to even
        "1.00000000000000011102230246251565404236316680908203124",
        "1.00000000000000011102230246251565404236316680908203126",
    ],
)
def test_values_that_are_hard_to_round_are_rounded_right(cell: str) -> None:
    assert parse_csv(cell.encode()).X[0, 0] == float(cell)


def test_one_odd_cell_among_many_blocks_is_read_where_it_stands() -> None:
    rows = [b"%d,%d.25" % (i, -i) for i in range(60_000)]
    rows[30_000] = b'"+7", .5'
    X = parse_csv(b"\r\n".join(rows)).X
    assert X[30_000].tolist() == [7, 0.5]
    X[30_000] = [30_000, -30_000.25]
    index = np.arange(60_000)
    np.testing.assert_array_equal(
        X, np.column_stack([index, -index - np.sign(index) * 0.25 + 0.25 * (index == 0)])
    )


@pytest.mark.thorough
@settings(max_examples=150)
@given(files(), st.integers(1, 40))
def test_blocks_of_any_size_hold_what_the_whole_holds(body: bytes, block_bytes: int) -> None:
    def whole(body: bytes, limits: CsvLimits) -> object:
        dataset = parse_csv(body, limits)
        return dataset.feature_names, dataset.X.tolist()

    def streamed(body: bytes, limits: CsvLimits) -> object:
        blocks = read_blocks(io.BytesIO(body), limits, block_bytes)
        parts = list(blocks)
        assert all(part.shape[1] == blocks.n_features for part in parts)
        return blocks.feature_names, np.concatenate(parts).tolist()

    limits = CsvLimits()
    assert outcome(streamed, body, limits) == outcome(whole, body, limits)


@pytest.mark.parametrize("n_samples", [0, 1, 1000, 10**7])
def test_a_stream_is_read_whole_however_many_rows_were_announced(n_samples: int) -> None:
    body = b"".join(b"%d,1\n" % i for i in range(100_000))
    X = read_csv(io.BytesIO(body), n_samples).X
    assert X.shape == (100_000, 2)
    np.testing.assert_array_equal(X[:, 0], np.arange(100_000))


def peak_of(action: Callable[[], Any]) -> tuple[Any, int]:
    tracemalloc.start()
    try:
        result = action()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.thorough
@pytest.mark.parametrize("n_features", [2, 50])
def test_reading_takes_little_more_memory_than_the_array(n_features: int) -> None:
    X = np.random.default_rng(0).normal(0, 5, (1_000_000 // n_features, n_features))
    text = io.BytesIO()
    np.savetxt(text, X, fmt="%.4f", delimiter=",")
    body = text.getvalue()
    for read in (lambda: parse_csv(body), lambda: read_csv(io.BytesIO(body), len(X))):
        dataset, peak = peak_of(read)
        assert peak < 1.25 * dataset.X.nbytes
    _, peak = peak_of(lambda: sum(len(block) for block in read_blocks(io.BytesIO(body))))
    assert peak < 3_000_000


def test_many_blank_lines_after_a_wide_row_claim_no_memory() -> None:
    body = b"1," * 9_999 + b"1" + b"\n" * 4_400_000
    dataset, peak = peak_of(lambda: parse_csv(body))
    assert dataset.X.shape == (1, 10_000)
    assert peak < 8 * len(body)


def test_messages_never_hold_more_than_a_glance_of_the_file() -> None:
    with pytest.raises(InvalidCsv) as refusal:
        parse_csv(b"1\n" + b"secret" * 100)
    assert len(refusal.value.detail) < 200
    assert not re.search("(secret){8}", refusal.value.detail)
