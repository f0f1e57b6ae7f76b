"""`engine`: what computes a fit. Left out, the size of the work decides."""

from typing import Any

from kmeans_service import config
from kmeans_service.errors import InvalidParameter
from kmeans_service.json_values import shown

FIELD = "engine"


def parse_engine(value: Any) -> str:
    """Raises InvalidParameter, also for an engine that the deployment does not have."""
    if value == "auto":
        return "auto"
    taken = f"a file of at most {config.limits().file_bytes:,} bytes"
    if value == "spark":
        raise InvalidParameter(
            f'engine is "spark", which this deployment does not have; allowed is "auto", which '
            f"takes {taken}",
            field=FIELD,
            allowed='"auto"',
        )
    raise InvalidParameter(
        f'engine is {shown(value)}; allowed is "auto"', field=FIELD, allowed='"auto"'
    )
