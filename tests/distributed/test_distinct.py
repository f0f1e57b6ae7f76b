"""Different values of columns, counted in ranges: as one survey of all rows counts them."""

import io
import random

import pytest

from distributed import distinct
from distributed.tables import read_files
from harness import in_ranges
from harness.alone import Alone
from kmeans_service.tables import survey
from kmeans_service.tables.survey import Block, Survey
from kmeans_service.tables.table import read_table

ROOM = 40


def counted(body: bytes, range_bytes: int) -> list[int | None]:
    table = read_files(in_ranges.given([body], range_bytes), Alone()).table
    return [column.counts.distinct for column in table.columns]


def in_one(body: bytes) -> list[int | None]:
    table = read_table(lambda: io.BytesIO(body))
    return [column.counts.distinct for column in table.columns]


def columns_of(seed: int, widths: list[int], n_rows: int = 120) -> bytes:
    """Of each column as many different values as it is wide, but for what chance leaves out."""
    rng = random.Random(seed)
    rows = (",".join(_cell(rng.randrange(width)) for width in widths) for _ in range(n_rows))
    return ("\n".join(rows) + "\n").encode()


def _cell(value: int) -> str:
    return f"t{value}" if value % 7 == 3 else str(value)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_DISTINCT", ROOM)


def test_room_that_is_not_used_up_counts_all() -> None:
    body = b"1,a\n2,a\n3,b\n1,b\n2,c\n"
    assert in_one(body) == counted(body, 4) == [3, 3]


def test_a_column_that_needs_no_more_room_is_counted_where_another_one_has_taken_it() -> None:
    body = b"".join(b"%d,%d\n" % (row % 2, row) for row in range(100))
    assert in_one(body) == counted(body, 16) == [2, None]


def test_a_range_is_counted_again_until_every_column_has_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = b"".join(b"%d,t%d\n" % (row, row) for row in range(100_000))
    read, n_read = Survey.read, [0]

    def watched(survey: Survey, block: Block) -> None:
        n_read[0] += len(block.text)
        read(survey, block)

    monkeypatch.setattr(Survey, "read", watched)
    assert counted(body, len(body)) == [None, None]
    assert len(body) < n_read[0] < 1.2 * len(body)


@pytest.mark.parametrize("sent", [1, 4, 2**16])
@pytest.mark.parametrize("seed", range(8))
def test_every_way_to_cut_counts_alike(
    seed: int, sent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distinct, "MOST_SENT", sent)
    monkeypatch.setattr("distributed.check.MOST_SENT", sent)
    monkeypatch.setattr(distinct, "MOST_AGAIN", 10**6)
    widths = random.Random(seed).sample([2, 5, 9, 12, 20, 30, 100, 1000], 4)
    body = columns_of(seed, widths)
    for size in (11, 60, 333):
        assert counted(body, size) == in_one(body), (widths, size)


def test_what_would_take_too_many_ranges_twice_has_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("distributed.check.MOST_SENT", 2)
    monkeypatch.setattr(distinct, "MOST_AGAIN", 3)
    body = columns_of(1, [2, 9])
    assert in_one(body) == [2, 9]
    assert counted(body, 30) == [2, None]
