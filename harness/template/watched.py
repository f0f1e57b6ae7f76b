"""Alarms and dashboard: they watch what is there, under the names it is there by."""

import json
from typing import Any

from harness.template.reading import Resource, metrics_of, resources

type Watched = tuple[str, str, frozenset[tuple[str, str]]]
OURS = "KMeansService"


def alarms() -> dict[str, Resource]:
    return resources("AWS::CloudWatch::Alarm")


def widgets() -> list[dict[str, Any]]:
    """The dashboard's, with ${Name} where CloudFormation puts in a name."""
    [dashboard] = resources("AWS::CloudWatch::Dashboard").values()
    body, _ = dashboard["Properties"]["DashboardBody"]["Fn::Sub"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    return found


def shown() -> list[Watched]:
    """Every metric of the dashboard."""
    rows = [row for widget in widgets() for row in widget["properties"]["metrics"]]
    named = [[part for part in row if isinstance(part, str)] for row in rows]
    return [
        (namespace, name, frozenset(zip(rest[::2], rest[1::2], strict=True)))
        for namespace, name, *rest in named
    ]


def watched_by(alarm: Resource) -> list[Watched]:
    """Its one metric, or those that it does arithmetic with."""
    return [
        (
            metric["Namespace"],
            metric["MetricName"],
            frozenset(
                (entry["Name"], _as_text(entry["Value"])) for entry in metric.get("Dimensions", [])
            ),
        )
        for metric in metrics_of(alarm)
    ]


def _as_text(value: Any) -> str:
    """A reference as Fn::Sub would write it."""
    match value:
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"${{{name}.{attribute}}}"
        case text:
            return str(text)
