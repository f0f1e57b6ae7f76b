"""Clusters in a terminal: the service's projection into two dimensions, as a scatter."""

import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import click

from kmeans_client.problems import InvalidInput

if TYPE_CHECKING:
    from kmeans_client.client import Client

# Of a terminal, which can be seen on white as well as on black.
COLORS = ("blue", "red", "green", "magenta", "cyan", "orange")
WIDEST, BELOW = 120, 5  # columns; lines for what is said below, and for the prompt


def draw(client: "Client", job_id: int) -> None:
    """Raises InvalidInput without the library."""
    try:
        import plotext
    except ImportError:
        told = "--plot needs plotext: pip install 'kmeans-service-client[plot]'"
        raise InvalidInput(told) from None
    found: Any = client.get_projection(job_id)
    figure = plotext.figure.theme("simple")
    figure.plot_size(*_size())
    for label in sorted({point["label"] for point in found["points"]}):
        points = [point for point in found["points"] if point["label"] == label]
        places = [[point[axis] for point in points] for axis in ("x", "y")]
        mark = plotext.marker(str(label)[-1], COLORS[label % len(COLORS)])
        figure.draw(figure.signal(*places, marker=mark))
    figure.show(colorless="NO_COLOR" in os.environ or not sys.stdout.isatty())
    for name, axis in zip(("x", "y"), found["axes"], strict=True):
        click.echo(f"{name}: {axis['text']}")
    click.echo(f"Each row is the last digit of its cluster's label. {found['note']}")


def _size() -> tuple[int, int]:
    """Columns and lines, so that the picture is on the screen with what is said below it."""
    columns, lines = shutil.get_terminal_size()
    return min(columns, WIDEST), max(lines - BELOW, 10)
