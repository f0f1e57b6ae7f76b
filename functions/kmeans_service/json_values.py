"""Values as they come in JSON: what they are, and how a refusal shows them."""

import json
import math
from typing import Any

from kmeans_service import config


def shown(value: Any) -> str:
    """The value as JSON, shortened to what a message can carry."""
    try:
        text = json.dumps(value, ensure_ascii=True)
    except RecursionError:
        return "a deeply nested value"
    return text if len(text) <= 60 else text[:59] + "…"


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_finite_number(value: Any) -> bool:
    if is_integer(value):
        return bool(abs(value) <= config.MAX_MAGNITUDE)
    return isinstance(value, float) and math.isfinite(value)
