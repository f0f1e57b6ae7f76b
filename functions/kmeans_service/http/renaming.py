"""PATCH /kmeans/jobs/{job_id}: names, as they may come over REST; null removes one (RFC 7396)."""

import re
import unicodedata
from typing import Any

from kmeans_service.errors import InvalidParameter, quoted
from kmeans_service.http import json_body
from kmeans_service.json_values import shown
from kmeans_service.lifecycle.names import Renaming

MAX_LENGTH = 100
# Controls, halves of surrogate pairs, and what ends a line or a paragraph.
_REFUSED = ("Cc", "Cs", "Zl", "Zp")
_NUMBER = re.compile("0|[1-9][0-9]{0,8}")


def parse_renaming(given: Any) -> Renaming:
    """Raises InvalidParameter that names field, found and allowed."""
    asked = json_body.fields(given, (), ("name", "clusters"))
    name = None
    if "name" in asked:
        name = _name("name", asked["name"]) or ""
    if "clusters" in asked and asked["clusters"] is None:
        return Renaming(name, afresh=True)
    return Renaming(name, _clusters(asked.get("clusters", {})))


def _clusters(given: Any) -> dict[int, str | None]:
    if not isinstance(given, dict):
        raise _refused("clusters", given, "an object of names by the clusters' numbers, or null")
    return {_number(text): _name(f"clusters.{text}", name) for text, name in given.items()}


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise InvalidParameter(
            f"clusters has the field {quoted(text)}; allowed are numbers of the job's clusters",
            field=f"clusters.{text[:100]}",
        )
    return int(text)


def _name(field: str, value: Any) -> str | None:
    allowed = f"a text of 1 to {MAX_LENGTH} characters, or null, which removes it"
    if value is None:
        return None
    if not isinstance(value, str):
        raise _refused(field, value, allowed)
    if not 1 <= len(value) <= MAX_LENGTH:
        raise InvalidParameter(
            f"{field} has {len(value):,} characters; allowed is {allowed}", field=field
        )
    for place, character in enumerate(value, start=1):
        if unicodedata.category(character) in _REFUSED:
            raise InvalidParameter(
                f"{field} has {character!a} as its character {place}; "
                "allowed are letters, digits, signs and spaces, and no control characters",
                field=field,
            )
    return value


def _refused(field: str, value: Any, allowed: str) -> InvalidParameter:
    return InvalidParameter(f"{field} is {shown(value)}; allowed is {allowed}", field=field)
