"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much is measured: shapes are (n_samples, n_features)."""

    rounds: int
    inline: tuple[int, int]
    large: tuple[tuple[int, int], ...]
    parsed: tuple[tuple[int, int], ...]
    notations: tuple[int, int]
    memory: tuple[tuple[int, int], ...]
    out_of_core: tuple[int, int]
    precision: tuple[tuple[int, int, int], ...]  # and n_clusters
    offsets: tuple[float, ...]  # of the blobs, whose spread is some 30
    calls: int


FULL = Scale(
    rounds=3,
    inline=(100_000, 2),
    large=((1_000_000, 2), (200_000, 50)),
    parsed=((1_000_000, 2), (200_000, 10)),
    notations=(200_000, 10),
    memory=((1_000_000, 2), (400_000, 10), (200_000, 50)),
    out_of_core=(600_000, 50),
    precision=((1_000_000, 2, 8), (400_000, 10, 8), (100_000, 50, 100)),
    offsets=(0, 1e3, 1e6),
    calls=400,
)


SMALL = Scale(
    rounds=1,
    inline=(2_000, 2),
    large=((3_000, 10),),
    parsed=((3_000, 2),),
    notations=(3_000, 2),
    memory=((3_000, 10),),
    out_of_core=(20_000, 50),
    precision=((3_000, 2, 8),),
    offsets=(0,),
    calls=40,
)


SCALES = {"full": FULL, "small": SMALL}
