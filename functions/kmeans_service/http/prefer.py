"""The Prefer header (RFC 7240): `respond-async` and `wait=N`."""

import math
import re
from dataclasses import dataclass

_WAIT = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?')


@dataclass(frozen=True)
class Preference:
    """How many seconds the client would wait at most, and what of its wish we honour."""

    wait: float = math.inf
    applied: str = ""


def parse_prefer(header: str) -> Preference:
    """What the header asks for; what we do not know is ignored, as the RFC says."""
    wishes = [wish.partition(";")[0].strip().lower() for wish in header.split(",")]
    waits = [found for wish in wishes if (found := _WAIT.fullmatch(wish))]
    if waits:
        return Preference(float(waits[0][1]), f"wait={waits[0][1]}")
    if "respond-async" in wishes:
        return Preference(0.0, "respond-async")
    return Preference()
