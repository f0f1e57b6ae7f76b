"""Strict JSON: what one sender means and one receiver reads, or a clear refusal."""

import json
import re
from collections import Counter
from typing import Any

from kmeans_service.config import MAX_JOB_ID
from kmeans_service.errors import InvalidParameter, MalformedRequest, quoted
from kmeans_service.json_values import is_integer, shown

_JOB_ID = re.compile("0|[1-9][0-9]{0,9}")
_JOB_IDS = f"an integer from 0 to {MAX_JOB_ID}"


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


def fields(value: Any, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object, which has the required fields and none that nobody knows."""
    if not isinstance(value, dict):
        raise InvalidParameter(f"the body is {shown(value)}; allowed is an object")
    known = required + optional
    for name in value:
        if name not in known:
            raise InvalidParameter(
                f"the field {quoted(name)} is not known; allowed are {', '.join(known)}",
                field=name[:100],
            )
    for name in required:
        if name not in value:
            raise InvalidParameter(f"the field '{name}' is missing", field=name)
    return value


def job_id(value: Any) -> int:
    """A job id: an integer from 0; raises InvalidParameter."""
    if not is_integer(value) or not 0 <= value <= MAX_JOB_ID:
        raise InvalidParameter(f"job_id is {shown(value)}; allowed is {_JOB_IDS}", field="job_id")
    return int(value)


def job_id_text(text: str) -> int:
    """A job id written out, in a path or a form field; raises InvalidParameter."""
    if not _JOB_ID.fullmatch(text):
        raise InvalidParameter(f"job_id is {quoted(text)}; allowed is {_JOB_IDS}", field="job_id")
    return int(text)
