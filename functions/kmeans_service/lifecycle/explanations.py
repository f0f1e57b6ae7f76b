"""What is made of a job's model when somebody asks for it, and is kept beside the model.

pk         sk                          what
O#{owner}  E#{job_id}#{fence}#{name}   status, and then the result or the error; what was asked for,
                                       the attempt and the lease of who works at it, or the run

The fence is the model's: what a newer fit replaces, its explanations included, goes together. One
that has failed is told as such for a while; who asks after that has it made anew.
"""

import hashlib
import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from boto3.dynamodb.conditions import Attr

from kmeans_service import config, keys
from kmeans_service.errors import FitConflict, NotMade, Unavailable
from kmeans_service.lifecycle import reads
from kmeans_service.lifecycle.items import audited_attribute
from kmeans_service.lifecycle.job import Job
from kmeans_service.lifecycle.results import PENDING, Result, ResultStatus, job_is_there
from kmeans_service.owners import quota
from kmeans_service.stored_object import StoredObject
from kmeans_service.table import clock, queries, writes
from kmeans_service.table.expressions import NOT_THERE, Change, has, removes, sets
from kmeans_service.table.keys import Key, explanation_key, job_key
from kmeans_service.table.values import unmarshal
from kmeans_service.table.writes import Action, Item, checking, updating


@dataclass(frozen=True)
class Explanation(Result):
    """What `maker` makes of the model whose centers lie under `of_model`.

    asked     what distinguishes it from others of this maker, JSON's values
    since     when it was asked for, epoch milliseconds: its place in line
    warnings  what the job says of its model from then on, once this is made
    """

    maker: str = ""
    of_model: str = ""
    asked: Mapping[str, Any] = field(default_factory=dict)
    expires_at: int = 0
    since: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        fence = keys.fence_of(self.of_model) or 0
        return explanation_key(self.owner, self.job_id, fence, self.name)

    @property
    def run_prefix(self) -> str:
        return f"{self.key_of(str(self.fence))}/"

    def key_of(self, attempt: str) -> str:
        """Where an attempt writes; no other one ever does."""
        return keys.explanation(self.of_model, self.name, attempt)

    def crashed(self, times: int) -> NotMade:
        last = f"; the last time, {self.crash}" if self.crash else ""
        return NotMade(f"Making the {self.maker} of job {self.job_id} crashed {times} times{last}")

    def failed(self, error: dict[str, Any]) -> Change:
        return super().failed(error) | sets(again_at=clock.seconds(config.TOLD_SECONDS))

    def still_wanted(self) -> Action:
        """The model is the job's: what was made of one that is replaced is counted out with it.

        Warnings are written with that, and name the model: of a newer one they say nothing.
        """
        key = job_key(self.owner, self.job_id)
        its = job_is_there() & Attr("model.centers.key").eq(self.of_model)
        if not self.warnings:
            return checking(key, its)
        return updating(key, sets(audited=audited_attribute(self.of_model, self.warnings)), its)

    def check_wanted(self) -> None:
        """Raises JobGone, or FitConflict where a newer model has come."""
        if reads.get(self.owner, self.job_id).published.centers.key != self.of_model:
            raise FitConflict(
                f"A newer fit of job {self.job_id} has replaced the model meanwhile; ask again"
            )

    def read(self, item: Item) -> Self:
        return replace(super().read(item), since=unmarshal(item)["since"])


def of(job: Job, maker: str, version: int, asked: Mapping[str, Any]) -> Explanation:
    """As nobody has asked for it yet; raises NotFitted.

    version   of what the maker makes: another one is made anew
    """
    text = json.dumps([version, asked], sort_keys=True)
    name = f"{maker}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return Explanation(
        job.owner,
        job.job_id,
        name,
        maker=maker,
        of_model=job.published.centers.key,
        asked=asked,
        expires_at=job.expires_at,
        since=int(time.time() * 1000),
    )


def find(new: Explanation) -> Explanation | None:
    """As it stands; None where it is to be made: nobody has asked yet, or it failed a while ago."""
    item = queries.get_item(new.key)
    if not item:
        return None
    values = unmarshal(item)
    if values.get("again_at", math.inf) < time.time():
        return None
    return new.read(item)


def forget(lost: Explanation, stored: StoredObject) -> None:
    """It is to be made anew, and the object that was noted is counted out."""
    gone = sets(status=ResultStatus.FAILED, again_at=0) | removes("result")
    still = has({"result": asdict(stored)})
    for _ in writes.tries():
        forgetting = updating(lost.key, gone, still)
        if not writes.transact([forgetting, quota.more(lost.owner, -stored.size)]):
            return
        found = find(lost)
        if found is None or found.result != stored:
            return
        _ = quota.read(lost.owner)  # which makes sure that there are counters


def ask(new: Explanation) -> Explanation:
    """PENDING from now on, or as somebody else has asked for it; raises StorageFull."""
    quota.room_for(new.owner, size=1, jobs=0)
    pending = sets(status=PENDING, since=new.since, expires_at=new.expires_at)
    anew = removes("error", "again_at", "attempt", "lease_until")
    anew |= removes("run", "work", "spent", "is_long", "crash")
    try:
        writes.update(new.key, pending | anew, NOT_THERE | Attr("again_at").lt(clock.seconds()))
    except writes.ConditionFailed as failed:
        return find(new) or new if failed.item is None else new.read(failed.item)
    return new


def note(made: Explanation, stored: StoredObject) -> Explanation:
    """SUCCEEDED, the object counted, for who made it at once; or as somebody else has made it.

    Raises JobGone, or FitConflict where a newer model has come.
    """
    succeeded = sets(
        status=ResultStatus.SUCCEEDED,
        result=asdict(stored),
        since=made.since,
        expires_at=made.expires_at,
    )
    is_new = NOT_THERE | ~Attr("status").eq(ResultStatus.SUCCEEDED)
    for _ in writes.tries():
        _ = quota.read(made.owner)  # which makes sure that there are counters
        writing = updating(made.key, succeeded | removes("error", "again_at"), is_new)
        if not writes.transact([writing, quota.more(made.owner, stored.size), made.still_wanted()]):
            return replace(made, status=ResultStatus.SUCCEEDED, result=stored)
        found = find(made)
        if found and found.result:
            return found
        made.check_wanted()
    raise Unavailable(f"Job {made.job_id} is changing")
