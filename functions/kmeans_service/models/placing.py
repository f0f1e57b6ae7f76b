"""Where the clusters of one fit are in the space of another: columns by their names, levels by
their texts, numbers in the user's units.
"""

from collections.abc import Sequence

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.models.columns import Columns
from kmeans_service.models.source import Source
from kmeans_service.recipes.levels import INDICATOR, Levels
from kmeans_service.recipes.preprocessing import Preprocessing
from kmeans_service.recipes.transform import Transform


def check_alike(source: Source, columns: Columns, asked: Preprocessing) -> None:
    """Raise InvalidParameter where clusters of these columns cannot continue the source's."""
    before, after = _kinds(source.columns), _kinds(columns)
    if [before[place] for place in _places(source.columns, columns)] != after:
        raise _refused("that fit took texts for numbers or numbers for texts; allowed is null")
    if source.is_normalized and (asked.normalize, asked.scaling) != ("l2", source.scaling):
        raise _refused(
            f'the rows of that fit were normalised, with scaling "{source.scaling}", and its '
            "centers are where such rows are; allowed is the same scaling with normalize "
            '"l2", or null'
        )


def placed(source: Source, columns: Columns, transform: Transform | None) -> Array:
    """The source's centers where the rows of a fit with these columns and this transform are."""
    numbers, indicators = _split(source, _places(source.columns, columns))
    if transform is None:
        return numbers
    levels = [
        _shares(before, after) for before, after in zip(indicators, transform.levels, strict=True)
    ]
    if source.is_normalized:
        return np.hstack([numbers, *levels])
    shares = [INDICATOR * level for level in levels]
    z = np.hstack([(numbers - transform.shift) * transform.scale, *shares])
    return _normalized(z) if transform.normalize else z


def _places(old: Columns, new: Columns) -> list[int]:
    """Where each used column of the new fit stands among the used ones of the old."""
    names, wanted = old.used_names, new.used_names
    if len(old.positions) != len(new.positions):
        raise _refused(
            f"that fit used {len(old.positions)} columns and this one uses {len(new.positions)}; "
            "allowed is a job that was fitted with the same columns, or null"
        )
    if not names or not wanted or None in names or None in wanted:
        return list(range(len(new.positions)))
    for name in wanted:
        if name not in names:
            raise _refused(
                f"that fit did not use the column {quoted(name or '')}, which this one uses; "
                "allowed is a job that was fitted with the same columns, or null"
            )
    return [names.index(name) for name in wanted]


def _refused(why: str) -> InvalidParameter:
    return InvalidParameter(f"align_to: {why}", field="align_to")


def _kinds(columns: Columns) -> list[bool]:
    """Of each used column, whether it is a category."""
    return [position in columns.categories for position in columns.positions]


def _split(source: Source, places: Sequence[int]) -> tuple[Array, list[tuple[Array, Levels]]]:
    """The numbers of the centers, and what they have of each category, in the new order."""
    transform = source.transform
    kinds = _kinds(source.columns)
    rank = np.cumsum([not kind for kind in kinds]) - 1
    numbers = source.centers[:, [rank[place] for place in places if not kinds[place]]]
    levels = transform.levels if transform else ()
    starts = np.cumsum([kinds.count(False), *(level.width for level in levels)])
    blocks = [
        (source.centers[:, start : start + level.width], level)
        for start, level in zip(starts, levels, strict=False)
    ]
    order = np.cumsum(kinds) - 1
    return numbers, [blocks[order[place]] for place in places if kinds[place]]


def _shares(before: tuple[Array, Levels], after: Levels) -> Array:
    """What the centers have of the levels of one fit's category, in those of another's."""
    shares, levels = before
    found = np.zeros((len(shares), after.width))
    other = after.width - 1 if after.other else None
    for place, text in enumerate(levels.texts):
        to = after.texts.index(text) if text in after.texts else other
        if to is not None:
            found[:, to] += shares[:, place]
    missing = len(after.texts) if after.missing else other
    if levels.missing and missing is not None:
        found[:, missing] += shares[:, len(levels.texts)]
    if levels.other and other is not None:
        found[:, other] += shares[:, -1]
    return found


def _normalized(z: Array) -> Array:
    lengths = np.sqrt(np.square(z).sum(axis=1))
    rows: Array = z / np.where(lengths > 0, lengths, 1.0)[:, np.newaxis]
    return rows
