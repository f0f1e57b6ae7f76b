"""Values as they come in JSON: strictly read, what they are, and how a refusal shows them."""

import json
import math
from collections import Counter
from typing import Any

from kmeans_service import config
from kmeans_service.errors import MalformedRequest, quoted


def loads(text: bytes | str, what: str = "the body") -> Any:
    """The value; raises MalformedRequest for bad UTF-8, NaN, duplicate keys or hostile depth."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        if not decoded.strip():
            raise MalformedRequest(f"{what} is empty; it must be JSON")
        return json.loads(decoded, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise MalformedRequest(
            f"{what} is not UTF-8: the byte {error.object[error.start]:#04x} at offset "
            f"{error.start} is not valid"
        ) from None
    except json.JSONDecodeError as error:
        raise MalformedRequest(
            f"{what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            line=error.lineno,
            column=error.colno,
        ) from None
    except RecursionError:
        raise MalformedRequest(f"{what} is nested too deeply") from None
    except ValueError:  # Python's own limit on the digits of an integer
        raise MalformedRequest(f"{what} holds an integer with too many digits") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise MalformedRequest(
            f"the key {quoted(twice)} stands more than once in one object", field=twice[:100]
        )
    return found


def _no_constant(name: str) -> Any:
    raise MalformedRequest(f"{name} is not JSON; allowed are finite numbers")


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
