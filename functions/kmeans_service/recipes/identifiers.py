"""Names that say of a column of whole numbers that these name things instead of measuring them."""

import re
from collections.abc import Iterable

_BOUNDARY = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_ANYWHERE = frozenset(["id", "ids", "uid", "guid", "uuid", "fips", "zip", "isbn", "ssn"])
_LAST = frozenset(["code", "key", "nr"])
_SHORT = frozenset(
    [
        "subject",
        "subj",
        "patient",
        "firm",
        "state",
        "county",
        "district",
        "region",
        "country",
        "stratum",
        "strata",
        "block",
    ]
)
_THINGS = [
    "case",
    "sch",
    "county",
    "study",
    "subject",
    "patient",
    "person",
    "user",
    "customer",
    "client",
    "family",
    "household",
    "hh",
    "h",
    "house",
    "town",
    "city",
    "district",
    "dist",
    "school",
    "student",
    "store",
    "shop",
    "firm",
    "company",
    "employee",
    "order",
    "item",
    "product",
    "record",
    "row",
    "obs",
    "seq",
    "doc",
    "choice",
    "game",
    "site",
    "plot",
]
_GLUED = (
    frozenset(["fipsno", "pidnum", "zipcode"])
    | {thing + end for thing in _THINGS for end in ["id", "no", "nr", "num", "cod"]}
    | {"id" + thing for thing in _THINGS}
)
TIMES = frozenset(["year", "month", "day", "hour", "time", "week"])
CLASSES = frozenset(["class", "label", "target", "species", "category", "cluster", "type", "group"])
WEIGHTS = frozenset(["freq", "freqs", "frequency", "frequencies", "wgt", "wght", "wts", "weights"])


def words(name: str) -> list[str]:
    """Split at what is not alphanumeric and where a capital begins a word; in lower case."""
    return [word.lower() for word in _BOUNDARY.split(name) if word]


def is_text_identifier(name: str) -> bool:
    """Whether it is an identifier's name even where its cells are texts."""
    found = set(words(name))
    return bool(_ANYWHERE & found or _GLUED & found)


def is_identifier(name: str, names: Iterable[str], *, all_distinct: bool) -> bool:
    """Whether the name is an identifier's.

    names         of all columns of the file
    all_distinct  whether no two cells of the column are the same
    """
    found = words(name)
    if not found:
        return False
    last, alone = found[-1], len(found) == 1
    if is_text_identifier(name):
        return True
    if last in _LAST or (last.endswith("code") and last != "code"):
        return True
    if last == "no":
        yes = any("yes" in words(other) for other in names)
        return not alone or (all_distinct and not yes)
    if last == "index":
        return alone or (len(found) == 2 and all_distinct)
    return last in _SHORT and len(found) <= 2
