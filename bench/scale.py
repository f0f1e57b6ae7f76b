"""How much is measured."""

from dataclasses import dataclass

from bench.imports import GOALS_FOR, HANDLERS


@dataclass(frozen=True)
class Scale:
    """How much is measured: shapes are (n_samples, n_features)."""

    rounds: int
    short_rounds: int  # of what takes milliseconds
    warm_rounds: int  # before those that count
    handlers: tuple[str, ...]  # whose imports are looked at
    inline: tuple[int, int]
    large: tuple[tuple[int, int], ...]
    all_scripts: bool  # beside every fit, not only the one that has goals
    parsed: tuple[tuple[int, int], ...]
    notations: tuple[int, int]
    tables: int
    memory: tuple[tuple[int, int], ...]
    out_of_core: tuple[int, int]
    precision: tuple[tuple[int, int, int], ...]  # and n_clusters
    offsets: tuple[float, ...]  # of the blobs, whose spread is some 30
    calls: int
    alone: tuple[tuple[int, int, int, float], ...]  # n_clusters, and how many times as fast
    iteration: tuple[int, int, int]  # n_clusters
    page: tuple[int, int]
    moves: int  # of the mouse on its picture, 60 a second
    command: tuple[int, int]  # of a file that a request cannot carry
    empty_machine: bool  # minutes that install packages


FULL = Scale(
    rounds=3,
    short_rounds=6,
    warm_rounds=1,
    handlers=HANDLERS,
    inline=(100_000, 2),
    large=((1_000_000, 2), (200_000, 50)),
    all_scripts=True,
    parsed=((1_000_000, 2), (200_000, 10)),
    notations=(200_000, 10),
    tables=200_000,
    memory=((1_000_000, 2), (400_000, 10), (200_000, 50)),
    out_of_core=(600_000, 50),
    precision=((1_000_000, 2, 8), (400_000, 10, 8), (100_000, 50, 100)),
    offsets=(0, 1e3, 1e6),
    calls=400,
    alone=(
        (1_000_000, 2, 8, 7),
        (1_000_000, 10, 10, 5),
        (200_000, 2, 100, 6),
        (100_000, 50, 100, 3.5),
        (20_000, 100, 1_000, 2.5),
    ),
    iteration=(2_200_000, 10, 10),
    page=(100_000, 10),
    moves=180,
    command=(100_000, 10),
    empty_machine=True,
)


SMALL = Scale(
    rounds=1,
    short_rounds=1,
    warm_rounds=0,
    handlers=tuple(GOALS_FOR),
    inline=(2_000, 2),
    large=((3_000, 10),),
    all_scripts=False,
    parsed=((3_000, 2),),
    notations=(3_000, 2),
    tables=3_000,
    memory=((3_000, 10),),
    out_of_core=(2_000, 50),
    precision=((3_000, 2, 8),),
    offsets=(0,),
    calls=40,
    alone=((3_000, 2, 8, 1),),
    iteration=(20_000, 10, 10),
    page=(300, 3),
    moves=3,
    command=(3_000, 10),
    empty_machine=False,
)


SCALES = {"full": FULL, "small": SMALL}
