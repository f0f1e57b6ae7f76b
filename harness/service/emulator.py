"""MiniStack as its own command runs it, but for one refusal: alarms over metric math.

CloudFormation makes them, and an alarm rings for nobody here: it watches the first of its metrics.
"""

from typing import Any

from ministack.app import main  # type: ignore[import-untyped]
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]

_record = provisioners._cw_metric_alarm_record


def _of_one_metric(name: str, properties: dict[str, Any]) -> Any:
    asked = [
        entry["MetricStat"] for entry in properties.get("Metrics", []) if "MetricStat" in entry
    ]
    for first in asked[:1]:
        plain = first["Metric"] | {"Period": first["Period"], "Statistic": first["Stat"]}
        properties = {key: properties[key] for key in properties.keys() - {"Metrics"}} | plain
    return _record(name, properties)


if __name__ == "__main__":
    provisioners._cw_metric_alarm_record = _of_one_metric
    main()
