"""Who works next: fair shares between owners, whatever is lost, killed, deleted or sent twice."""

import math

from kmeans_service.line import shares
from kmeans_service.line.shares import Slot

LONG, SHORT = 600, 1


def take() -> Slot:
    slot = shares.take(math.inf)
    assert isinstance(slot, Slot)
    return slot
