"""Which rows are drawn of a finished fit."""

import numpy as np

from kmeans_service.explaining.drawing import Drawer, allotment


def test_all_rows_are_drawn_where_there_is_room() -> None:
    assert allotment(np.array([3, 0, 4]), 7).tolist() == [3, 0, 4]


def test_a_small_cluster_gets_more_than_its_share_and_an_empty_one_nothing() -> None:
    # Half of the room is for all alike: 100 // (2 * 4) = 12 each; then in proportion.
    found = allotment(np.array([10_000, 989, 11, 0]), 100)
    assert found.tolist() == [12 + 59, 12 + 5, 11, 0]
    assert found.sum() <= 100


def test_each_cluster_has_a_row_even_where_there_is_room_for_one_each() -> None:
    assert allotment(np.full(50, 1000), 50).min() == 1


def test_the_same_rows_are_drawn_however_they_come() -> None:
    labels = np.random.default_rng(1).integers(-1, 3, 1000)
    sizes = np.bincount(labels[labels >= 0])
    values = np.arange(1000.0)[:, None]
    draws = []
    for size in (1000, 7):
        drawer = Drawer(sizes, 60)
        for start in range(0, 1000, size):
            part = slice(start, start + size)
            drawer.add(values[part], labels[part], np.arange(1000)[part] + 1)
        draws.append(drawer.drawn())
    one, other = draws
    assert one.lines.tolist() == other.lines.tolist() == sorted(set(one.lines.tolist()))
    assert one.values[:, 0].tolist() == (one.lines - 1).tolist()
    assert one.labels.tolist() == labels[one.lines - 1].tolist()
    assert (one.labels >= 0).all()
    assert len(one) <= 60
    for cluster, size in enumerate(sizes):
        assert np.isclose(one.weights[one.labels == cluster].sum(), size)
