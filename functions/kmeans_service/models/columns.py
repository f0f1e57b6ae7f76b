"""The columns of a model's points: how many, their names, and which of them it uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kmeans_service.errors import FeatureMismatch, quoted
from kmeans_service.recipes.levels import Levels
from kmeans_service.recipes.plan import LEVELS, USED, WEIGHT, Plan
from kmeans_service.tables.table import Table

type Names = Sequence[str | None]


@dataclass(frozen=True, slots=True)
class Columns:
    """As the file had them that the model was fitted to.

    feature_names  None without a header; a column without a name has None
    used      positions from 0 of those that the model is made of, in their order; None: all
    booleans  positions of those that hold words for 1 and 0
    categories  positions of those that hold texts; `texts` of each that has an indicator
    weight    position of the column that says how much each row counts; None: all alike
    """

    n_features: int
    feature_names: tuple[str | None, ...] | None = None
    used: tuple[int, ...] | None = None
    booleans: tuple[int, ...] = ()
    weight: int | None = None
    categories: tuple[int, ...] = ()
    texts: tuple[tuple[str, ...], ...] = ()

    @property
    def positions(self) -> tuple[int, ...]:
        """Of the used columns in the file, from 0."""
        return tuple(range(self.n_features)) if self.used is None else self.used

    @property
    def numbers(self) -> tuple[int, ...]:
        """Positions of the used columns that hold no texts."""
        texts = set(self.categories)
        return tuple(position for position in self.positions if position not in texts)

    @property
    def used_names(self) -> tuple[str | None, ...] | None:
        names = self.feature_names
        return names and tuple(names[position] for position in self.positions)

    def codes(self) -> list[dict[str, float] | None]:
        """Of each used column that is a category, what its texts are read as; else None."""
        known = dict(zip(self.categories, self.texts, strict=True))
        return [
            {text: float(code) for code, text in enumerate(known[position])}
            if position in known
            else None
            for position in self.positions
        ]

    def with_weight(self) -> "Columns":
        """The same, with the weight as if it were used, behind the others."""
        if self.weight is None:
            return self
        return replace(self, used=(*self.positions, self.weight), weight=None)

    def places(self, n_features: int, names: Names | None) -> tuple[int, ...]:
        """Where in the points the used columns stand, in the model's order.

        By name where points and model have names; else points have as many columns as the file,
        or the used ones alone. Raises FeatureMismatch.
        """
        wanted = self.used_names
        if names is not None and wanted is not None and None not in wanted:
            places = {name: place for place, name in reversed(list(enumerate(names)))}
            return tuple(_place(name or "", places) for name in wanted)
        if n_features == self.n_features:
            return self.positions
        if n_features == len(self.positions):
            return tuple(range(n_features))
        also = f", of which it uses {len(self.positions)}" if self.used is not None else ""
        raise FeatureMismatch(
            f"the points have {n_features} feature{'s' * (n_features != 1)}, "
            f"but the model was fitted with {self.n_features}{also}",
            expected=self.n_features,
            found=n_features,
        )


def _place(name: str, places: Mapping[str | None, int]) -> int:
    if name in places:
        return places[name]
    raise FeatureMismatch(
        f"the points have no column {quoted(name)}, which the model was fitted with"
    )


def feature_names(columns: Columns, levels: Sequence[Levels]) -> list[str | None] | None:
    """Of what is clustered: the columns of numbers, and then the indicators of the categories.

    levels  of each category
    Returns None where the file has no names, and every column is one of numbers.
    """
    names = columns.feature_names
    if names is None and not levels:
        return None
    found = [names[position] if names else None for position in columns.numbers]
    for position, each in zip(columns.categories, levels, strict=True):
        found += each.named((names and names[position]) or f"column {position + 1}")
    return found


def planned_columns(table: Table, plan: Plan) -> Columns:
    """Those of a model that is fitted to this table by this plan."""
    used = tuple(column.number - 1 for column in plan.of(USED, LEVELS))
    categories = tuple(column.number - 1 for column in plan.of(LEVELS))
    booleans = tuple(column.number - 1 for column in plan.of(USED) if column.words)
    weights = [column.number - 1 for column in plan.of(WEIGHT)]
    whole = len(used) == len(table.columns)
    return Columns(
        len(table.columns),
        table.names,
        None if whole else used,
        booleans,
        weights[0] if weights else None,
        categories,
        ((),) * len(categories),
    )
