"""Upload, fit and predict through the real handlers, beside the original's server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bench import ours, theirs
from bench.measure import Seconds, in_turn, ratios, script, spread
from bench.points import Points
from bench.report import Table

type Do = Callable[[str, Any], None]
STEPS = ("upload", "fit", "predict")
# What a fit is beside: by name here, and by name in steps.py.
SCRIPTS = {"script": "fit", "alone": "kmeans", "polars": "polars"}


@dataclass
class EndToEnd:
    """CPU seconds by (step, who), round by round."""

    points: Points
    seconds: dict[tuple[str, str], Seconds] = field(default_factory=dict)

    def ratio(self, step: str) -> Seconds:
        return ratios(self.seconds[step, "theirs"], self.seconds[step, "ours"])

    def over_script(self) -> Seconds:
        return ratios(self.seconds["fit", "ours"], self.seconds["fit", "script"])

    def beside_polars(self) -> Seconds:
        return ratios(self.seconds["fit", "polars"], self.seconds["fit", "ours"])

    def most(self) -> Seconds:
        """What the original's fit is over KMeans.fit alone, which no service can do without."""
        return ratios(self.seconds["fit", "theirs"], self.seconds["fit", "alone"])


def warm(server: theirs.Theirs, service: ours.Ours, points: Points) -> None:
    """Once through everything of both, beside nothing."""
    measure(server, service, points, 1, 1, scripts={})


def measure(
    server: theirs.Theirs,
    service: ours.Ours,
    points: Points,
    rounds: int,
    repeat: int = 1,
    scripts: Mapping[str, str] = SCRIPTS,
) -> EndToEnd:
    """`repeat` predicts a round, for those too short to be measured one by one."""
    found = EndToEnd(points)
    body = points.read()
    jobs: dict[str, int] = {}
    labels: dict[str, bytes] = {}
    fitted: set[str] = set()

    def upload(who: str, api: Any) -> None:
        jobs[who] = api.upload(body)

    def fresh(who: str, api: Any) -> None:
        """A job that has not been fitted: the same fit again is none."""
        if who in fitted:
            upload(who, api)
        fitted.add(who)

    def predict(who: str, api: Any) -> None:
        for _ in range(repeat):
            labels[who] = api.predict(jobs[who], body)

    steps: dict[str, Do] = {
        "upload": upload,
        "fit": lambda who, api: api.fit(jobs[who], points.n_clusters),
        "predict": predict,
    }
    for step, do in steps.items():
        ways: dict[str, Callable[[], float]] = {
            who: partial(_cpu, who, api, fresh if step == "fit" else None, do)
            for who, api in (("theirs", server), ("ours", service))
        }
        if step == "fit":
            for name, how in scripts.items():
                ways[name] = partial(script, "steps", how, points.path, points.n_clusters)
        times = repeat if step == "predict" else 1
        for who, values in in_turn(rounds, ways).items():
            found.seconds[step, who] = [value / times for value in values]
    _check_same(labels["ours"], labels["theirs"])
    return found


def _cpu(who: str, api: Any, before: Do | None, do: Do) -> float:
    """CPU seconds of `do`, after what `before` makes ready."""
    if before:
        before(who, api)
    begin = float(api.cpu())
    do(who, api)
    return float(api.cpu()) - begin


def _check_same(own: bytes, other: bytes) -> None:
    """The same partition; the numbers of its clusters may differ with the versions of both."""
    pairs = set(zip(own.split(), other.split(), strict=True))
    if len(pairs) > len(set(own.split())):
        raise RuntimeError("ours and the original do not answer the same clusters")


def table(measured: list[EndToEnd]) -> Table:
    rows = []
    for found in measured:
        for step in STEPS:
            floor = found.seconds.get((step, "script"))
            alone = found.seconds.get((step, "alone"))
            rows.append(
                (
                    f"{step}, {found.points.name}",
                    _milliseconds(found.seconds[step, "theirs"]),
                    _milliseconds(found.seconds[step, "ours"]),
                    spread(found.ratio(step)),
                    _milliseconds(floor) if floor else "",
                    spread(found.over_script(), 2) if floor else "",
                    _milliseconds(alone) if alone else "",
                    spread(found.most()) if alone else "",
                    spread(found.beside_polars()) if alone else "",
                )
            )
    return Table(
        "End to end",
        (
            "what",
            "original, CPU ms",
            "ours, CPU ms",
            "original / ours",
            "np.loadtxt + KMeans.fit as a script, CPU ms",
            "ours / script",
            "KMeans.fit alone, CPU ms",
            "original / KMeans.fit",
            "polars + KMeans.fit + polars as a script / ours",
        ),
        rows,
    )


def _milliseconds(seconds: Seconds) -> str:
    return spread([1000 * value for value in seconds])
