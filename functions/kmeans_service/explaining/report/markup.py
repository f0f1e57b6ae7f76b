"""HTML as a tree of elements, from which the standard library writes it.

Text and attributes are escaped as they are written, so nothing that a user named can become markup.
"""

from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

type Child = Element | str | None


def element(tag: str, *children: Child, **attributes: object) -> Element:
    """An element; `class_` is its class, and of two words in an attribute's name a hyphen joins.

    A child that is None is left out, and so is an attribute.
    """
    found = Element(
        tag,
        {
            name.removesuffix("_").replace("_", "-"): seen(str(value))
            for name, value in attributes.items()
            if value is not None
        },
    )
    for child in children:
        append(found, child)
    return found


def append(parent: Element, child: Child) -> None:
    if isinstance(child, str):
        text = seen(child)
        if len(parent):
            parent[-1].tail = (parent[-1].tail or "") + text
        else:
            parent.text = (parent.text or "") + text
    elif child is not None:
        parent.append(child)


def seen(text: str) -> str:
    """What cannot be seen, controls and marks of direction among it, is shown as such."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def written(page: Element) -> str:
    return f"<!doctype html>\n{tostring(page, encoding='unicode', method='html')}\n"


def table(
    caption: str, head: Iterable[str], rows: Iterable[Iterable[Child]], *, numbers: int = 0
) -> Element:
    """A table whose rows begin with their heading, in a box that scrolls where it is too wide.

    numbers   how many of the last columns are numbers
    """
    names = list(head)
    classes = [None] * (len(names) - numbers) + ["n"] * numbers
    header = element(
        "tr",
        *(
            element("th", name, scope="col", class_=kind)
            for name, kind in zip(names, classes, strict=True)
        ),
    )
    body = element("tbody", *(_row(row, classes) for row in rows))
    shown = element("table", element("caption", caption), element("thead", header), body)
    return element("div", shown, class_="wide", role="region", aria_label=caption, tabindex="0")


def _row(row: Iterable[Child], classes: list[str | None]) -> Element:
    cells = list(row)
    first = element("th", cells[0], scope="row", class_=classes[0])
    rest = (
        element("td", cell, class_=kind) for cell, kind in zip(cells[1:], classes[1:], strict=True)
    )
    return element("tr", first, *rest)


def terms(pairs: Iterable[tuple[str, Child]]) -> Element:
    """Names and what they stand for."""
    found = element("dl")
    for name, value in pairs:
        found.append(element("div", element("dt", name), element("dd", value)))
    return found
