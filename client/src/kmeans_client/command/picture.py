"""Clusters in a terminal: the service's projection into two dimensions, as a scatter."""

import os
from typing import TYPE_CHECKING, Any

import click

from kmeans_client.problems import InvalidInput

if TYPE_CHECKING:
    from kmeans_client.client import Client


def draw(client: "Client", job_id: int) -> None:
    """Raises InvalidInput without the library."""
    try:
        import plotext
    except ImportError:
        told = "--plot needs plotext: pip install 'kmeans-service-client[plot]'"
        raise InvalidInput(told) from None
    found: Any = client.get_projection(job_id)
    figure = plotext.figure
    for label in sorted({point["label"] for point in found["points"]}):
        points = [point for point in found["points"] if point["label"] == label]
        places = [[point[axis] for point in points] for axis in ("x", "y")]
        figure.draw(figure.signal(*places, marker=str(label)[-1]).label(f"cluster {label}"))
    figure.show(colorless="NO_COLOR" in os.environ)
    for name, axis in zip(("x", "y"), found["axes"], strict=True):
        click.echo(f"{name}: {axis['text']}")
    click.echo(found["note"])
