"""Arrays of the kernel that end where their memory does: not one byte beyond them is touched."""

import ctypes
import os

import numpy as np
import pytest

from harness.data.guarded import Guarded
from kmeans_service.arrays import Array
from kmeans_service.fitting.kernel.assignment import known_centers
from kmeans_service.fitting.kernel.library import Centers, Drift, FloatCandidates, Round, library
from kmeans_service.fitting.kernel.lloyd import lloyd
from kmeans_service.fitting.kernel.rows import Rows


def passes_at_the_edge(n: int, d: int, k: int, weighted: bool) -> None:
    """Every pass over rows, weights, labels, bounds and workspaces that end with their page."""
    C, r = library(), np.random.default_rng(n * d * k)
    rooms = iter([Guarded(1 << 16) for _ in range(40)])

    def at(values: Array) -> int:
        return next(rooms).placed(values)

    def room(size: int) -> int:
        return at(np.zeros(size))

    X, centers = r.normal(size=(n, d)), r.normal(size=(k, d))
    rows, weights = at(X), at(np.ones(n)) if weighted else None
    labels = at(np.zeros(n, dtype=np.int32))
    known, kept = known_centers(centers)
    tight = Centers(k, d, *[at(array) for array in kept], known.largest_norm)
    until = at(np.full(n, -np.inf, dtype=np.float32))
    workspace = room(C.nearest_workspace(d))
    C.nearest(rows, None, n, tight, Drift(None, 0, 0), labels, None, workspace)
    for of in (None, at(np.full(k, 0.3))):
        C.nearest(rows, None, n, tight, Drift(of, 0.3, 1e9), labels, until, workspace)
        C.nearest(rows, None, n, tight, Drift(of, 0.6, 0), labels, until, workspace)
    sums, sizes = room(k * d), room(k)
    C.add_rows(rows, weights, labels, n, d, sums, sizes)
    C.column_extents(rows, n, d, room(d), room(d), room(d))
    totals = room(-(-n // C.entering_block()) * 2 * d)
    C.enter_rows(at(X), n, d, at(X[0]), 0.5, totals)
    previous, moves = at(np.zeros(n, dtype=np.int32)), at(np.zeros(k, dtype=np.int64))
    C.move_rows(rows, labels, previous, n, d, sums, sizes, moves)
    C.inertia(rows, weights, labels, n, d, tight.rows)
    C.largest_norm(rows, n, d)
    closest, candidates = at(np.full(n, np.inf)), at(X[:1].repeat(3, axis=0).copy())
    blocks = -(-n // C.seeding_block())
    round_of_three = Round(d, 3, candidates, candidates)
    potentials = room(blocks * 3)
    C.try_candidates(
        rows, weights, n, round_of_three, closest, potentials, room(C.seeding_workspace(d))
    )
    drawn = at(np.zeros(3, dtype=np.int64))
    uniform = at(np.array([0, 0.5, 1 - 1e-16]))
    C.draw_rows(rows, weights, n, d, candidates, closest, potentials, uniform, 3, drawn)
    tiles = at(np.zeros(-(-n // 16) * 16 * d, dtype=np.float32))
    C.make_float_tiles(rows, n, d, tiles)
    C.nearest(rows, tiles, n, tight, Drift(None, 0, 0), labels, None, workspace)
    C.nearest(rows, tiles, n, tight, Drift(None, 9, 0), labels, until, workspace)
    factors, norms = (at(np.zeros(size, dtype=np.float32)) for size in (3 * d, 3))
    perhaps, found = at(np.zeros(-(-n // 16) * 3, dtype=np.uint16)), FloatCandidates(factors, norms)
    terms = room(blocks * 3)
    C.estimate_gains(tiles, weights, n, d, found, 3, closest, potentials, terms, perhaps)
    C.measure_gains(rows, weights, n, round_of_three, perhaps, closest, potentials)
    C.choose_candidate(rows, weights, n, round_of_three, 1, perhaps, closest, room(blocks))
    marks = np.packbits(np.arange(-(-n // 16) * 16) < n, bitorder="little").view(np.uint16)
    for some in (marks, marks & 1):  # all rows of the tiles, and the first of each
        marked = at(some.repeat(3))
        C.choose_candidate(rows, weights, n, round_of_three, 1, marked, closest, room(blocks))
    for written in (tiles, None):
        C.measure_first(rows, weights, n, d, candidates, written, closest, room(blocks))


@pytest.mark.usefixtures("each_library")
def test_not_one_byte_beyond_any_array_is_touched() -> None:
    child = os.fork()  # which such a byte would kill
    if child == 0:
        for n in (1, 7, 8, 9, 15, 16, 17, 40, 513):
            for d in (1, 2, 3, 4, 5, 9):
                for k in {1, min(n, 2), min(n, 9)}:
                    passes_at_the_edge(n, d, k, weighted=bool(n % 2))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def fits_at_the_edge() -> None:
    """All that the kernel allocates ends where its memory does, wider data than long included."""
    kept: list[Guarded] = []

    def guarded(shape: int | tuple[int, ...], dtype: type = np.float64) -> Array:
        values: Array = np.zeros(shape, dtype)
        kept.append(Guarded(max(values.nbytes, 1)))
        at = (ctypes.c_char * values.nbytes).from_address(kept[-1].placed(values))
        return np.frombuffer(at, dtype).reshape(shape)

    r = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "empty", guarded)
        for n, d, k in ((3, 700, 2), (40, 1000, 33), (700, 3, 5), (6_001, 3, 4), (6_001, 17, 3)):
            lloyd(Rows(r.normal(size=(n, d))), k, max_iter=3)


def test_what_the_kernel_allocates_is_as_large_as_c_takes_it_to_be() -> None:
    child = os.fork()  # which a byte beyond it would kill
    if child == 0:
        fits_at_the_edge()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
