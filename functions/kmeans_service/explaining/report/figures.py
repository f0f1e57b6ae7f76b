"""Values of an answer as a table of the report shows them."""

import math
from typing import Any

from kmeans_service.explaining import numerals

DIGITS = 4


def short(value: float | None) -> str:
    """A number in four digits, or fewer where they are zeros; a dash where there is none."""
    if value is None:
        return "–"
    decimals = DIGITS - 1 - math.floor(math.log10(abs(value))) if value else 0
    text = numerals.number(value, min(12, max(0, decimals)))
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def shown(value: Any) -> str:
    """Whatever a member of an answer holds."""
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    if isinstance(value, int | float):
        return short(value)
    if isinstance(value, list):
        return ", ".join(map(shown, value))
    if isinstance(value, dict):
        return ", ".join(f"{words(name)} {shown(each)}" for name, each in value.items())
    return str(value)


def words(name: str) -> str:
    """A member's name, to be read."""
    return name.replace("_", " ")
