"""Times as items hold them. Those that are compared are whole epoch seconds."""

import time
from datetime import UTC, datetime

from kmeans_service import config


def timestamp(at: float | None = None) -> str:
    """Now, or another time in epoch seconds, as it is shown."""
    return datetime.fromtimestamp(time.time() if at is None else at, UTC).isoformat(
        timespec="milliseconds"
    )


def seconds(ahead: float = 0) -> int:
    """Now, or a time ahead, as it is compared."""
    return int(time.time() + ahead)


def expiry() -> int:
    return seconds(config.settings().job_expiry_days * 86_400)
