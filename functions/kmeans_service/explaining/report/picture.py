"""The rows of a fit in two dimensions, as SVG."""

import math
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from kmeans_service.arrays import Array
from kmeans_service.explaining import numerals
from kmeans_service.explaining.report.marks import shapes
from kmeans_service.explaining.report.markup import element

# In tenths of a pixel.
WIDTH, HEIGHT = 7200, 5000
LEFT, RIGHT, TOP, BOTTOM = 800, 150, 150, 700
# Points of one cluster that are nearer to each other are drawn once.
GRAIN = 10
MOST_TICKS = 6
# Along the axis below, and along the one on the left, which is shorter.
LONGEST_TEXTS = (70, 46)


def picture(answer: Mapping[str, Any], names: Mapping[int, str]) -> Element:
    """A figure of the answer of GET …/projection.

    names   of the clusters by their labels, which stand at their centers
    """
    points = np.array([[each["x"], each["y"]] for each in answer["points"]])
    labels = np.array([each["label"] for each in answer["points"]])
    centers = np.array([[each["x"], each["y"]] for each in answer["centers"]])
    frame = _Frame.around(np.concatenate([points, centers]))
    drawing = element(
        "svg",
        element("title", "The rows in two dimensions, a mark for each cluster", id="picture"),
        *(tick for axis in (0, 1) for tick in _axis(frame, axis, answer["axes"][axis]["text"])),
        *(
            shapes(label, _places(frame, points[labels == label]))
            for label in np.unique(labels).tolist()
        ),
        *(_name(frame, names[label], center) for label, center in enumerate(centers)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_labelledby="picture",
    )
    caption = f"{answer['note']} The marks are those of the table below."
    return element("figure", drawing, element("figcaption", caption))


class _Frame:
    """From places on two axes to places in the picture."""

    def __init__(self, low: Array, high: Array) -> None:
        spread = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
        self.low, self.high = low - 0.04 * spread, high + 0.04 * spread

    @classmethod
    def around(cls, values: Array) -> "_Frame":
        return cls(values.min(axis=0), values.max(axis=0))

    def place(self, values: Array) -> Array:
        """Shape (some, 2), whole numbers."""
        share = (values - self.low) / (self.high - self.low)
        x = LEFT + share[:, 0] * (WIDTH - LEFT - RIGHT)
        y = HEIGHT - BOTTOM - share[:, 1] * (HEIGHT - TOP - BOTTOM)
        return np.column_stack([x, y]).round().astype(np.int64)


def _places(frame: _Frame, values: Array) -> list[tuple[int, int]]:
    coarse = np.unique(frame.place(values) // GRAIN * GRAIN, axis=0)
    return [(x, y) for x, y in coarse.tolist()]


def _name(frame: _Frame, name: str, center: Array) -> Element:
    x, y = frame.place(center[None])[0].tolist()
    return element("text", _short(name, LONGEST_TEXTS[0]), x=x, y=y, dy=".35em", class_="center")


def _axis(frame: _Frame, axis: int, text: str) -> list[Element]:
    found = []
    low, high = float(frame.low[axis]), float(frame.high[axis])
    for value, said in ticks(low, high):
        at = frame.low.copy()
        at[axis] = value
        x, y = frame.place(at[None])[0].tolist()
        found.append(_tick(axis, x, y, said))
    return [*found, _title(axis, text)]


def _tick(axis: int, x: int, y: int, said: str) -> Element:
    if axis == 0:
        line = element("path", d=f"M{x} {y}V{TOP}", class_="grid")
        return element("g", line, element("text", said, x=x, y=y + 170, class_="tick middle"))
    line = element("path", d=f"M{x} {y}H{WIDTH - RIGHT}", class_="grid")
    return element("g", line, element("text", said, x=x - 60, y=y + 40, class_="tick end"))


def _title(axis: int, text: str) -> Element:
    if axis == 0:
        x, y, turned = (LEFT + WIDTH - RIGHT) // 2, HEIGHT - 150, None
    else:
        x, y = 150, (TOP + HEIGHT - BOTTOM) // 2
        turned = f"rotate(-90 {x} {y})"
    return element(
        "text", _short(text, LONGEST_TEXTS[axis]), x=x, y=y, transform=turned, class_="axis middle"
    )


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between the two, and how they are written."""
    rough = (high - low) / MOST_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first = math.ceil(low / step)
    count = math.floor(high / step) - first + 1
    values = [(first + index) * step for index in range(count)]
    return [(value, numerals.number(value, decimals)) for value in values]


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
