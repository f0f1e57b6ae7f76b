"""What a run costs, in cents, and how long it may take for so many."""

import math

from kmeans_service import config
from kmeans_service.lifecycle.job import Spent

# Dollars in us-east-1 on x86-64, where an hour on arm64 is a fifth less; regions differ.
# Source: https://aws.amazon.com/emr/pricing/
DOLLARS_PER_VCPU_HOUR = 0.052624
DOLLARS_PER_GB_HOUR = 0.0057785
DOLLARS_PER_DISK_GB_HOUR = 0.000111  # of what is more than 20 GB of a worker
# With each processor, as the run asks for its workers; so much of their disk is paid for.
GB_PER_VCPU, DISK_GB_PER_VCPU = 4, 20


def cents(spent: Spent) -> float:
    dollars = (
        spent.vcpu_seconds * DOLLARS_PER_VCPU_HOUR
        + spent.gb_seconds * DOLLARS_PER_GB_HOUR
        + spent.disk_gb_seconds * DOLLARS_PER_DISK_GB_HOUR
    )
    return dollars / 36


def minutes_left(spent: Spent | None, processors: int) -> int:
    """That all processors may run at once for what is left of a run's cents; 0 for none."""
    left = config.limits().run_cents - cents(spent or Spent())
    return max(0, math.floor(left / of_all(processors, 60)))


def of_all(processors: int, seconds: float) -> float:
    """Cents of so many processors at once, and of what belongs to each."""
    used = round(processors * seconds)
    return cents(Spent(used, used * GB_PER_VCPU, used * DISK_GB_PER_VCPU))


def shown(spent: Spent) -> dict[str, float]:
    """As a job's owner sees it."""
    return {
        "vcpu_hours": round(spent.vcpu_seconds / 3600, 4),
        "memory_gb_hours": round(spent.gb_seconds / 3600, 4),
        "cents": round(cents(spent), 2),
    }
