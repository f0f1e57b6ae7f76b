"""`python -m local.hand_back TIME`: queues the fits again that ran when the service stopped.

Their lease, which they renewed as they worked, ends a minute after TIME at the latest; a fit that
was claimed since then has a later one and is left alone.
"""

import sys
from collections.abc import Iterator

from boto3.dynamodb.conditions import Attr

from kmeans_service import config
from kmeans_service.lifecycle import fits
from kmeans_service.lifecycle.items import job_from_item
from kmeans_service.lifecycle.job import Job, Status
from kmeans_service.lifecycle.lease import FenceLost
from kmeans_service.line import fit_requests, shares
from kmeans_service.table import queries
from kmeans_service.table.keys import LOOKED_AFTER


def interrupted(stopped_at: int) -> Iterator[Job]:
    running = Attr("status").eq(Status.RUNNING)
    for page in queries.due(LOOKED_AFTER, stopped_at + config.LEASE_SECONDS, running):
        yield from map(job_from_item, page)


def free_slots(stopped_at: int) -> None:
    """Those of the workers that ended with the service; a slot that was taken since is later."""
    for name, slot in shares.read().slots.items():
        until = slot.partition(" ")[0]
        if not until.isdecimal() or int(until) <= stopped_at + config.SLOT_SECONDS:
            shares.free_slot(name, slot)


def hand_back(stopped_at: int) -> int:
    """The number of fits that were queued again, each at its old place in line."""
    free_slots(stopped_at)
    count = 0
    for job in interrupted(stopped_at):
        try:
            fits.release(job, spent=0)
        except FenceLost:
            continue  # somebody has it already
        fit_requests.resume(job)
        count += 1
    return count


if __name__ == "__main__":
    if count := hand_back(int(sys.argv[1])):
        print(f"Fits that the last stop interrupted, and that go on now: {count}")
