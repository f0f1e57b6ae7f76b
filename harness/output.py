"""What the handlers print."""

import io
import json
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Output:
    """What the handlers print since it was last asked for."""

    log: io.StringIO
    capsys: pytest.CaptureFixture[str]

    def text(self) -> str:
        logged = self.log.getvalue()
        self.log.seek(0)
        self.log.truncate()
        printed = self.capsys.readouterr()
        assert printed.err == ""
        return logged + printed.out

    def lines(self) -> list[dict[str, Any]]:
        """Log lines, each a JSON object."""
        return [line for line in map(json.loads, self.text().splitlines()) if "_aws" not in line]

    def metrics(self) -> dict[str, Any]:
        """Values and units by name."""
        found = {}
        for line in map(json.loads, self.text().splitlines()):
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                assert directive["Namespace"] == "KMeansService"
                for metric in directive["Metrics"]:
                    found[metric["Name"]] = (line[metric["Name"]], metric["Unit"])
        return found
