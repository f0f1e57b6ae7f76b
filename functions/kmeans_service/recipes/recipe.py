"""What is asked of a fit: frozen, with one canonical form, which with the input is its identity."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kmeans_service.recipes.preprocessing import STRICT, Preprocessing, parse_preprocessing
from kmeans_service.stored_object import StoredObject

MAX_RANDOM_STATE = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whose clusters a fit's clusters continue: those of a job, and there of one fit.

    fit_id  empty until it is looked up
    copy    of the clusters, as they were then
    """

    job_id: int
    fit_id: str = ""
    copy: StoredObject | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers of clusters to choose from; auto: those that a file of few rows has, too."""

    least: int
    most: int
    auto: bool = False

    def said(self) -> Any:
        """As it was asked for."""
        return "auto" if self.auto else {"min": self.least, "max": self.most}


AUTO = Range(2, 10, auto=True)


def range_of(said: Any) -> Range:
    return AUTO if said == "auto" else Range(said["min"], said["max"])


type Centers = tuple[tuple[float, ...], ...]
"""Of shape (n_clusters, n_features), in the units of the data."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """KMeans' parameters by scikit-learn's names, and what is done before; `params` checks them.

    The defaults are the seed's two, then scikit-learn's own, written out: saying one and leaving
    it out are the same fit.

    n_clusters     where it is to be chosen, the most
    choice         what it is chosen from; None: it is given
    init           a method's name, or the initial centers; none at all where they lie aside
    random_state   None until a seed is drawn
    drawn          whether it was drawn: two recipes that differ in this alone are equal
    n_features     columns of what is clustered, as far as a plan tells, and no part of it either;
                   None: those of the file, as of a fit that an older version noted
    preprocessing  what the table goes through first
    plan           a digest of what becomes of each column of the file, where not all are used
    align_to       whose clusters are continued; None: nobody's
    engine         what computes it, "spark", or "auto": what its size asks for
    """

    n_clusters: int = 2
    random_state: int | None = 0
    init: str | Centers = "k-means++"
    n_init: int | str = "auto"
    max_iter: int = 300
    tol: float = 1e-4
    algorithm: str = "lloyd"
    preprocessing: Preprocessing = STRICT
    plan: str = ""
    align_to: Alignment | None = None
    choice: Range | None = None
    engine: str = "auto"
    drawn: bool = field(default=False, compare=False)
    n_features: int | None = field(default=None, compare=False)

    @property
    def model_params(self) -> dict[str, Any]:
        """KMeans' constructor parameters, in the order in which they are shown."""
        return {
            "algorithm": self.algorithm,
            "init": self.init,
            "max_iter": self.max_iter,
            "n_clusters": self.choice.said() if self.choice else self.n_clusters,
            "n_init": self.n_init,
            "random_state": self.random_state,
            "tol": self.tol,
        }

    @property
    def seed(self) -> int:
        """What is computed with; raises ValueError where it was not drawn yet."""
        if self.random_state is None:
            raise ValueError("the seed is drawn when the fit is asked for")
        return self.random_state

    def as_json(self) -> dict[str, Any]:
        """`recipe_of` reads it back; the strict reading, which was the only one, is left out."""
        found = self.model_params
        if self.engine != "auto":
            found |= {"engine": self.engine}
        if self.align_to:
            found |= {"align_to": {"job_id": self.align_to.job_id, "fit_id": self.align_to.fit_id}}
        if self.preprocessing == STRICT:
            return found
        planned = {"plan": self.plan} if self.plan else {}
        return found | {"preprocessing": self.preprocessing.said()} | planned

    def canonical(self) -> str:
        """One text for one recipe, however it was asked for."""
        return json.dumps(self.as_json(), sort_keys=True, separators=(",", ":"))

    def strictly(self) -> "Recipe":
        """Every column used as it is: what every fit was before there was preprocessing."""
        return replace(self, preprocessing=STRICT, plan="", n_features=None)

    def of(self, n_clusters: int) -> "Recipe":
        """With the number of clusters that was chosen."""
        return replace(self, n_clusters=n_clusters, choice=None)

    def seeded(self, seed: int | None = None) -> "Recipe":
        """With this seed, or one that is drawn now, where there is none yet."""
        if self.random_state is not None:
            return self
        seed = secrets.randbelow(MAX_RANDOM_STATE + 1) if seed is None else seed
        return replace(self, random_state=seed, drawn=True)

    def is_redrawn(self, other: "Recipe") -> bool:
        """Whether the other is the same but for the seed, and both have drawn theirs."""
        # One of an older version has none: it was drawn later, and not noted.
        drawn = self.drawn and (other.drawn or other.random_state is None)
        return drawn and self == replace(other, random_state=self.random_state)

    @property
    def is_weighted(self) -> bool:
        return self.preprocessing.weight_column is not None

    def n_clustered(self, n_columns: int) -> int:
        """Columns of what is clustered, of a file of so many."""
        return n_columns if self.n_features is None else self.n_features

    def iteration_work(self, n_samples: int, n_features: int) -> int:
        """Multiplications of one Lloyd iteration over all restarts."""
        return n_samples * n_features * self.n_clusters * self.restarts

    @property
    def n_searches(self) -> int:
        """Of a swap fit, each from a start of its own."""
        return self.n_init if isinstance(self.n_init, int) else 1

    @property
    def restarts(self) -> int:
        """scikit-learn: 10 restarts for "random", 1 for k-means++ and for given centers."""
        if self.algorithm == "swap":
            return 1  # of all searches only the best one's centers go through Lloyd's iterations
        if isinstance(self.n_init, int):
            return self.n_init
        return 10 if self.init == "random" else 1


def recipe_of(
    document: Mapping[str, Any], *, drawn: bool = False, n_features: int | None = None
) -> Recipe:
    """What `as_json` gave, or an older version stored.

    Raises what `table.values.UNREADABLE` lists for what is none.
    """
    members = {**document, "init": centers_of(document["init"])}
    if not isinstance(document["n_clusters"], int):
        choice = range_of(document["n_clusters"])
        members |= {"n_clusters": choice.most, "choice": choice}
    if "preprocessing" in members:
        members["preprocessing"] = parse_preprocessing(members["preprocessing"])
    if "align_to" in members:
        members["align_to"] = Alignment(**members["align_to"])
    return Recipe(**members, drawn=drawn, n_features=n_features)


def centers_of(init: Any) -> str | Centers:
    """`init` as it comes out of JSON, frozen."""
    return init if isinstance(init, str) else tuple(map(tuple, init))
