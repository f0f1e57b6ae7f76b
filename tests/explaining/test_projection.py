"""A fit in two dimensions: its columns where it has two, else its principal axes."""

import numpy as np

from harness.explaining.fits import Fit, fit_of
from kmeans_service.explaining.projection import Projected, as_json, axis_text, project


def projected(fit: Fit) -> Projected:
    return project(fit.rows, fit.columns, fit.model, fit.sizes)


def test_two_columns_are_the_axes_in_the_users_units() -> None:
    X = [[1.0, 10], [3, 10], [11, 20], [13, 24]]
    found = projected(fit_of(X, ["x", "y"], [0, 0, 1, 1], scaling="standard"))
    assert found.points.values.tolist() == X
    assert np.allclose(found.centers, [[2, 10], [12, 22]])
    assert [axis_text(axis, found.columns) for axis in found.axes] == ["x", "y"]
    assert np.allclose([axis.share for axis in found.axes], 0.5)  # they are scaled to the same
    answer = as_json(found)
    assert answer["axes"][1] == {
        "text": "y",
        "share": answer["axes"][1]["share"],
        "column": 2,
        "name": "y",
    }
    assert answer["points"][0] == {"line": 2, "label": 0, "x": 1.0, "y": 10.0}
    assert answer["sample_size"] is None


def test_more_columns_are_shown_by_their_principal_axes() -> None:
    # Along (1, 2, 0) / sqrt(5) from -3 to 3, along (0, 0, 1) by 1: variances 25 and 1.
    along = np.array([1, 2, 0]) / np.sqrt(5)
    X = np.array([5 * sign * along + [0, 0, up] for sign in (-1, 1) for up in (-1, 1)]) + 7
    found = projected(fit_of(X, ["a", "b", "c"], [0, 0, 1, 1]))
    first, second = found.axes
    assert np.allclose([first.share, second.share], [25 / 26, 1 / 26])
    assert [(each.place, round(each.loading, 4)) for each in first.loadings[:2]] == [
        (1, 0.8944),
        (0, 0.4472),
    ]
    assert np.allclose(found.points.values, [[-5, -1], [-5, 1], [5, -1], [5, 1]])
    assert np.allclose(found.centers, [[-5, 0], [5, 0]])
    assert axis_text(first, found.columns) == "more b, more a"
    assert axis_text(second, found.columns) == "more c"
    note = as_json(found)["note"]
    assert note == (
        "The two directions in which the rows differ most; they show 100 % of the variance. "
        "Every row is drawn."
    )


def test_one_column_is_a_line() -> None:
    found = projected(fit_of([[1.0], [2], [9]], ["x"], [0, 0, 1]))
    assert np.allclose(found.points.values, [[-3, 0], [-2, 0], [5, 0]])
    assert [axis.share for axis in found.axes] == [1.0, 0.0]
    assert axis_text(found.axes[1], found.columns) == "no single column"


def test_of_many_rows_some_are_drawn_of_each_cluster_and_the_answer_says_of_how_many() -> None:
    rng = np.random.default_rng(0)
    labels = np.array([0] * 30_000 + [1] * 10)
    X = rng.normal(size=(len(labels), 3)) + labels[:, None] * 9
    found = projected(fit_of(X, ["a", "b", "c"], labels.tolist()))
    assert 4_900 < len(found.points) <= 5_000
    assert np.bincount(found.points.labels)[1] == 10
    answer = as_json(found)
    assert answer["sample_size"] == found.sample_size <= 20_000  # type: ignore[operator]
    assert answer["n_rows"] == len(labels)
    assert f"{len(found.points):,} of 30,010 rows are drawn, at random" in answer["note"]
    lines = found.points.lines
    assert (np.diff(lines) > 0).all()
    assert lines[-1] == len(labels) + 1
