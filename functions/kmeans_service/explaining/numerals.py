"""Numbers as people write them: as many digits as tell something, and no more."""

import math

MOST_DECIMALS = 12


def decimals_of(spread: float) -> int:
    """As many as show about a tenth of the spread: 14 years in whole ones, 0.8 cm in hundredths."""
    if not math.isfinite(spread) or spread <= 0:
        return 2
    return min(max(0, 1 - math.floor(math.log10(spread))), MOST_DECIMALS)


def number(value: float, decimals: int, *, whole: bool = False) -> str:
    """In groups of thousands from 10,000 on; with an exponent where digits would be too many.

    whole   whether a whole number is written without decimals
    """
    if value and not 1e-9 < abs(value) < 1e15:
        return f"{value:.{3 + decimals}g}"
    if whole and value == int(value):
        decimals = 0
    group = "," if abs(value) >= 10_000 else ""
    text = f"{value:{group}.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def apart(one: float, other: float, spread: float, *, whole: bool = False) -> tuple[str, str]:
    """Two numbers that differ, with as many digits as show that they do."""
    for decimals in range(decimals_of(spread), MOST_DECIMALS + 1):
        texts = number(one, decimals, whole=whole), number(other, decimals, whole=whole)
        if texts[0] != texts[1]:
            return without_zeros(texts)
    return repr(one), repr(other)


def without_zeros(texts: tuple[str, str]) -> tuple[str, str]:
    """Without the last decimals that are 0 in both, as no exponent has them."""
    while all("." in text and "e" not in text and text.endswith("0") for text in texts):
        texts = texts[0][:-1].removesuffix("."), texts[1][:-1].removesuffix(".")
    return texts


def percent(share: float, decimals: int = 0) -> str:
    """Whole percents, or finer; what is not none or all is never shown as that."""
    least = 10.0 ** -(2 + decimals)
    if 0 < share < least:
        return f"under {least:.{decimals}%}".replace("%", " %")
    if 1 - least < share < 1:
        return f"over {1 - least:.{decimals}%}".replace("%", " %")
    return f"{share:.{decimals}%}".replace("%", " %")


def percents(one: float, other: float) -> tuple[str, str]:
    """Two shares, with as many digits as show that they differ."""
    for decimals in range(MOST_DECIMALS):
        texts = percent(one, decimals), percent(other, decimals)
        if texts[0] != texts[1]:
            break
    return texts


def shortest_between(below: float, above: float) -> float:
    """The number with the fewest digits that is not below the one and is below the other."""
    if not below < above:
        raise ValueError(f"{below!r} is not below {above!r}")
    middle = below + (above - below) / 2
    for digits in range(1, 18):
        found = float(f"{middle:.{digits}g}")
        if below <= found < above:
            return found
    return below
