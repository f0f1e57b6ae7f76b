"""Calls at once in one process: Lambda gives each a process of its own, tests give it a thread.

Powertools keeps the event of a call at its class, where the call of another thread would replace
it: both would then answer for one.
"""

import threading
from typing import Any

from aws_lambda_powertools.event_handler import ApiGatewayResolver


class _Here(threading.local):
    event: Any = None


def keep_apart() -> None:
    """Let every thread's resolver see the event of that thread's call."""
    here, resolve = _Here(), ApiGatewayResolver.resolve

    def resolved(self: Any, event: Any, context: Any) -> dict[str, Any]:
        before, here.event = here.event, self._to_proxy_event(event)
        try:
            return resolve(self, event, context)
        finally:
            here.event = before  # of the call whose function has called this one

    ApiGatewayResolver.resolve = resolved  # type: ignore[method-assign]
    ApiGatewayResolver.current_event = property(lambda _: here.event)  # type: ignore[assignment]
