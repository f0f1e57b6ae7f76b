"""Lambda's side of a call from one function to another: JSON in and out, and how a crash looks."""

import io
import json
from collections.abc import Callable
from typing import Any

from harness.api import Context


class Functions:
    """The client of functions that are called by others, in this process."""

    seconds = 300.0
    around: Callable[[Callable[[], Any]], Any] = staticmethod(lambda work: work())

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        from convert.app import lambda_handler

        assert FunctionName == "convert"
        try:
            event, context = json.loads(Payload), Context(self.seconds)
            answer = self.around(lambda: lambda_handler(event, context))
        except Exception as error:  # noqa: BLE001 (as Lambda reports it)
            crash = {"errorMessage": str(error), "errorType": type(error).__name__}
            return {"FunctionError": "Unhandled", "Payload": _body(crash)}
        return {"Payload": _body(answer)}

    def close(self) -> None:
        """There is no connection."""


def _body(answer: dict[str, Any]) -> io.BytesIO:
    return io.BytesIO(json.dumps(answer).encode())
