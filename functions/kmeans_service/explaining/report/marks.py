"""How clusters are told apart in a picture: by a colour, and by a shape.

The colours are as far from each other as twelve can be, for eyes with and without each of the three
kinds of colour blindness, and stand out from the paper: style.css has them, light and dark.
"""

from xml.etree.ElementTree import Element

from kmeans_service.explaining.report.markup import element

N_MARKS = 12
# Around a point, in tenths of a pixel; the first is a dot of a round pen.
SHAPES = (
    "h.1",
    "m-25-25h50v50h-50z",
    "m0-34l32 56h-64z",
    "m0-36l30 36-30 36-30-36z",
    "m-10-34h20v24h24v20h-24v24h-20v-24h-24v-20h24z",
    "m0 34l32-56h-64z",
    "m-34-20l14-14 20 20 20-20 14 14-20 20 20 20-14 14-20-20-20 20-14-14 20-20z",
    "m34 0l-56-32v64z",
    "m-28-32h56l-56 64h56z",
    "m-34 0l56-32v64z",
    "m-32-28v56l64-56v56z",
    "m-36-9h72v18h-72z",
)


def shapes(label: int, places: list[tuple[int, int]]) -> Element:
    """The cluster's mark at each of these places, in one path."""
    mark = label % N_MARKS
    path = "".join(f"M{x} {y}{SHAPES[mark]}" for x, y in places)
    pen = "dot" if mark == 0 else "mark"
    return element("path", d=path, class_=f"{pen} k{mark}")


def mark(label: int) -> Element:
    """The cluster's mark within a line of text."""
    return element(
        "svg", shapes(label, [(45, 45)]), class_="key", viewBox="0 0 90 90", aria_hidden="true"
    )
