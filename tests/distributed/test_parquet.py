"""Parquet files, read by their groups of rows: as the same rows are as CSV."""

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distributed import rows
from distributed.parquet import text, text_of_group
from distributed.row_groups import row_groups
from harness.alone import Alone
from harness.spark_runs import Runs, running, written
from harness.spark_tables import TABLE, blobs, csv, parquet
from kmeans_service.errors import InvalidCsv
from kmeans_service.fitting.kernel import library

PLAIN = b"x,y,t\n" + b"".join(b"%d,%d.5,t%d\n" % (i, i * i, i % 3) for i in range(2500))


def opened(body: bytes) -> Any:
    return lambda begin, end: io.BytesIO(body[begin:end])


@pytest.mark.parametrize("compression", ["uncompressed", "snappy", "zstd(3)", "gzip(6)", "lz4_raw"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_the_rows_of_all_groups_are_those_of_the_file(compression: str, dictionary: bool) -> None:
    body = parquet(PLAIN, compression=compression, dictionary_enabled=dictionary)
    groups = row_groups(opened(body), len(body))
    assert [group.n_rows for group in groups] == [1000, 1000, 500]
    parts = [b"".join(text_of_group(opened(body), len(body), number)) for number in range(3)]
    assert [part.count(b"\n") for part in parts] == [1000, 1000, 500]
    assert b"x,y,t\n" + b"".join(parts) == b"".join(text(opened(body), len(body))) == PLAIN


def test_of_a_group_its_own_bytes_are_read_and_no_others() -> None:
    body = parquet(PLAIN)
    asked: list[tuple[int, int]] = []

    def watched(begin: int, end: int) -> Any:
        asked.append((begin, end))
        return io.BytesIO(body[begin:end])

    first, second, _ = row_groups(opened(body), len(body))
    _ = list(text_of_group(watched, len(body), 1))
    assert asked[-1] == (second.begin, second.end)
    assert all(begin >= second.begin for begin, _ in asked)
    assert first.end == second.begin


def test_a_file_without_rows_is_its_header() -> None:
    body = parquet(b"x,y\n")
    assert b"".join(text(opened(body), len(body))) == b"x,y\n"
    assert [group.n_rows for group in row_groups(opened(body), len(body))] == [0]


DAMAGED = {
    "cut off": lambda body: body[:-9],
    "short": lambda _body: b"PAR1",
    "a footer that is too long": lambda body: body[:-8] + b"\xff\xff\xff\x7f" + b"PAR1",
    "a footer of zeros": lambda body: body[:-308] + b"\0" * 300 + body[-8:],
    "a footer of ones": lambda body: body[:-308] + b"\xff" * 300 + body[-8:],
    "pages of zeros": lambda body: b"PAR1" + b"\0" * 5000 + body[5004:],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused(name: str) -> None:
    body = DAMAGED[name](parquet(PLAIN))
    with pytest.raises(InvalidCsv, match="the Parquet file"):
        list(text(opened(body), len(body)))


@pytest.mark.parametrize("place", range(-330, -8, 7))
def test_no_byte_of_a_footer_that_is_another_one_crashes_anything(place: int) -> None:
    body = bytearray(parquet(PLAIN))
    body[place] ^= 0x55
    with suppress(InvalidCsv):
        list(text(opened(bytes(body)), len(body)))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    if not library.runs_here():
        pytest.skip("the kernel needs AVX2")
    monkeypatch.setattr(rows, "PART_BYTES", 1)
    with running(tmp_path, monkeypatch) as made:
        yield made


def test_files_of_several_groups_are_fitted_as_their_rows_are_as_csv(runs: Runs) -> None:
    body = csv(blobs(300, 3, 3, 6), header=True)
    header, *lines = body.splitlines(keepends=True)
    whole = runs.run([body], 900, model_params={"n_clusters": 3})
    halves = [header + b"".join(lines[:170]), header + b"".join(lines[170:])]
    parts = [parquet(half, max_row_group_size=50) for half in halves]
    found = runs.run(parts, 900, Alone(seed=3), model_params={"n_clusters": 3})
    assert written(found) == written(whole)


def test_texts_gaps_and_words_are_those_of_the_csv(runs: Runs) -> None:
    asked: dict[str, Any] = {"preprocessing": {"categories": "one_hot", "scaling": "standard"}}
    whole = runs.run([TABLE], 900, **asked)
    found = runs.run([parquet(TABLE, max_row_group_size=64)], 900, **asked)
    assert found.body("labels.csv") == whole.body("labels.csv")
    np.testing.assert_allclose(
        np.load(io.BytesIO(found.body("centers.npy"))),
        np.load(io.BytesIO(whole.body("centers.npy"))),
        rtol=1e-9,
    )


GOOD = parquet(b"x,y\n1,2\n3,4\n5,6\n")
REFUSED: list[tuple[list[bytes], str]] = [
    ([GOOD, b"x,y\n1,2\n"], "part-1.csv: it is text of rows, and part-0.csv is a Parquet file"),
    ([b"x,y\n1,2\n", GOOD], "part-1.csv: it is a Parquet file, and part-0.csv is text of rows"),
    ([GOOD, parquet(b"y,x\n1,2\n")], "part-1.csv: its first row is not the header of part-0.csv"),
    ([GOOD, GOOD[:-9]], "part-1.csv: the Parquet file is cut off"),
    ([GOOD[:-9], GOOD], "part-0.csv: the Parquet file is cut off"),
]


@pytest.mark.parametrize(("bodies", "said"), REFUSED)
def test_what_is_no_part_of_the_same_table_is_refused_by_its_name(
    runs: Runs, bodies: list[bytes], said: str
) -> None:
    assert said in runs.run(bodies, 900, model_params={"n_clusters": 2}).problem["detail"]


def test_a_bad_cell_is_named_by_its_file_and_its_row_behind_the_header(runs: Runs) -> None:
    lines = [b"x,y\n", *(b"%d,%d\n" % (i % 7, i) for i in range(90))]
    good = parquet(b"".join(lines))
    lines[50] = b"1,four\n"
    bad = parquet(b"".join(lines), max_row_group_size=16)
    found = runs.run([good, bad], 900, model_params={"n_clusters": 2})
    assert found.problem["detail"].startswith("line 51 of part-1.csv, column 2: 'four'")
