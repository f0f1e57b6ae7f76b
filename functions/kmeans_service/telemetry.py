"""The log, for those who speak HTTP and those who do not."""

import os
from functools import cache

from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """One JSON object a line, nothing below LOG_LEVEL.

    Lambda reads `level` and `timestamp` of each line, and takes those whose time is not RFC 3339
    for INFO. It is told to let INFO pass whatever LOG_LEVEL is, for metrics are INFO to it, and
    Powertools would go by what Lambda was told: so the level is the handlers', not the logger's.
    Source: "Using Lambda advanced logging controls with Python" in the Lambda developer guide.
    """
    made = Logger(use_rfc3339=True, log_uncaught_exceptions=False)
    for handler in made.handlers:
        handler.setLevel(os.environ.get("LOG_LEVEL") or "INFO")
    return made
