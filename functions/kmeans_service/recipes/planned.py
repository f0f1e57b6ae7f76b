"""What a fit does with one column."""

from dataclasses import dataclass
from typing import Any

from kmeans_service.tables.profile import Column


@dataclass(frozen=True, slots=True)
class Planned:
    """What a fit does with a column: its role, the rule behind it, and a sentence that says why."""

    column: Column
    role: str
    rule: str
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"role": self.role, "rule": self.rule, "reason": self.reason}
