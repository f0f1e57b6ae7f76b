"""Which of the media types that a route has a client likes best (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Iterator

# RFC 9110, section 12.4.2, and without the zero before the point, as Java's clients write it.
_QUALITY = re.compile(r"0(\.[0-9]*)?|\.[0-9]+|1(\.0*)?")


def best_offer(accept: str, offers: tuple[str, ...]) -> str | None:
    """The offer that the header likes best, None where it takes none; the first if it is empty.

    Weights decide. On equal weights a type that is named comes before one that only a wildcard
    covers, then the client's order counts, and then the route's.
    """
    if not accept.strip():
        return offers[0]
    ranges = list(_ranges(accept))
    ranks = [rank for place, offer in enumerate(offers) if (rank := _rank(ranges, offer, place))]
    return offers[-max(ranks)[-1]] if ranks else None


type Rank = tuple[float, int, int, int]


def _rank(ranges: list[tuple[str, float]], offer: str, place: int) -> Rank | None:
    """Weight, specificity, minus the place in the header and in the route; None: not taken.

    Of the ranges that cover the offer the most specific one counts; of several that are the same,
    the one that weighs most.
    """
    patterns = ("*/*", offer.partition("/")[0] + "/*", offer)
    found = [
        (patterns.index(media_range), weight, -order)
        for order, (media_range, weight) in enumerate(ranges)
        if media_range in patterns
    ]
    if not found:
        return None
    specificity, weight, order = max(found)
    return (weight, specificity, order, -place) if weight > 0 else None


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """(media range, weight) in the client's order."""
    for item in accept.split(","):
        media_range, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _quality(value.strip())
        yield "*/*" if media_range == "*" else media_range, weight


def _quality(value: str) -> float:
    """A weight from 0 to 1; what cannot be read as one asks for nothing."""
    return float(value) if _QUALITY.fullmatch(value) else 0.0
