"""What calls cost on AWS: the CPU time measured here, the waiting assumed, the prices listed.

docs/cost.md says what this rests on.
"""

from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.end_to_end import EndToEnd
from bench.measure import in_turn, script, spread
from bench.ours import INLINE_BYTES
from bench.points import Points
from bench.report import Table

# US dollars, us-east-1, x86_64, no free tier: the public price lists of December 2025.
LAMBDA_GB_SECOND = 0.0000166667
LAMBDA_REQUEST = 0.20 / 1e6
GATEWAY_REQUEST = 3.50 / 1e6
S3_PUT = 0.005 / 1e3
S3_GET = 0.0004 / 1e3
DYNAMODB_WRITE_UNIT = 0.625 / 1e6
DYNAMODB_READ_UNIT = 0.125 / 1e6
LOG_GB = 0.50
SNAPSTART_CACHE_GB_SECOND = 0.0000015046
SNAPSTART_RESTORE_GB = 0.0001397998

# Assumed, not measured.
DYNAMODB_SECONDS = 0.005
S3_SECONDS = 0.025
LOG_BYTES = 1500

MEGABYTES_PER_VCPU = 1769
MONTH_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Call:
    """What a call of one kind asks of AWS, counted at six points."""

    calls: int  # that the bill is for
    memory: str  # the template's parameter
    dynamodb: int
    write_units: int
    read_units: int
    puts: int = 0
    gets: int = 0


CALLS = {
    "upload": Call(1_000, "UploadMemory", dynamodb=4, write_units=8, read_units=3, puts=1),
    "fit": Call(1_000, "FitMemory", dynamodb=3, write_units=12, read_units=1, puts=4, gets=1),
    "predict": Call(1_000_000, "PredictMemory", dynamodb=1, write_units=0, read_units=1),
}


def memory_of(parameter: str) -> int:
    """Megabytes that the template gives a function."""
    from local.template import load_template

    return int(load_template()["Parameters"][parameter]["Default"])


def table(measured: list[EndToEnd]) -> Table:
    rows = [
        _bill(step, found)
        for step in CALLS
        for found in measured
        if step != "predict" or found.points.path.stat().st_size <= INLINE_BYTES
    ]
    return Table(
        "Cost",
        (
            "what",
            "Lambda GB-s",
            "Lambda",
            "API Gateway",
            "S3",
            "DynamoDB",
            "logs",
            "sum, US dollars",
        ),
        rows,
        "From the CPU times above; [cost.md](cost.md) says what else this rests on. "
        f"{_snapshot(memory_of('FitMemory') / 1024)}",
    )


def _bill(step: str, found: EndToEnd) -> tuple[str, ...]:
    call = CALLS[step]
    # A CPU second costs the same in every size: half the memory takes twice the time.
    computing = median(found.seconds[step, "ours"]) * MEGABYTES_PER_VCPU / 1024
    waiting = call.dynamodb * DYNAMODB_SECONDS + (call.puts + call.gets) * S3_SECONDS
    gigabyte_seconds = computing + waiting * memory_of(call.memory) / 1024
    each = {
        "lambda": gigabyte_seconds * LAMBDA_GB_SECOND + LAMBDA_REQUEST,
        "gateway": GATEWAY_REQUEST,
        "s3": call.puts * S3_PUT + call.gets * S3_GET,
        "dynamodb": call.write_units * DYNAMODB_WRITE_UNIT + call.read_units * DYNAMODB_READ_UNIT,
        "logs": LOG_BYTES / 1e9 * LOG_GB,
    }
    parts = [f"{call.calls * price:.3f}" for price in each.values()]
    calls = {"upload": "uploads", "fit": "fits", "predict": "predictions"}[step]
    return (
        f"{call.calls:,} {calls}, {found.points.name}",
        f"{call.calls * gigabyte_seconds:,.0f}",
        *parts,
        f"**{call.calls * sum(each.values()):.2f}**",
    )


def _snapshot(gigabytes: float) -> str:
    month = gigabytes * SNAPSTART_CACHE_GB_SECOND * MONTH_SECONDS
    return (
        f"FitFunction's snapshot (SnapStart), if it has one, costs ${month:.2f} a month whether "
        f"anybody calls or not, and ${1000 * gigabytes * SNAPSTART_RESTORE_GB:.3f} for 1,000 cold "
        "starts."
    )


def memory_table(shapes: list[Points], rounds: int) -> Table:
    """Fits in functions of several sizes: how long they take and what that costs."""
    return Table(
        "Memory of FitFunction",
        ("memory, MB", "vCPUs", "points", "seconds", "$ for 1,000 fits, Lambda alone"),
        [row for given in shapes for row in _sizes(given, rounds)],
        "KMeans, indices and pickle of data in memory. One vCPU was measured, by the clock; half "
        "of one takes twice its CPU time, and more than one no less: a fit has one thread.",
    )


def _sizes(given: Points, rounds: int) -> list[tuple[str, ...]]:
    found = in_turn(rounds, {"1": partial(script, "fitting", given.path, given.n_clusters)})["1"]
    seconds = {0.5: [2 * run["cpu"] for run in found], 1: [run["seconds"] for run in found]}
    return [
        (
            f"{vcpus * MEGABYTES_PER_VCPU:.0f}",
            f"{vcpus:g}",
            given.name,
            spread(values, 2),
            f"{_price(vcpus, median(values)):.4f}",
        )
        for vcpus, values in seconds.items()
    ]


def _price(vcpus: float, seconds: float) -> float:
    return 1000 * vcpus * MEGABYTES_PER_VCPU / 1024 * seconds * LAMBDA_GB_SECOND
