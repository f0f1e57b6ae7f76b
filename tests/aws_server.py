"""moto over real HTTP, in a process of its own: a forked worker reaches it like its parent does.

python tests/aws_server.py PORT
"""

import sys
import threading
from typing import Any

import moto.dynamodb.responses as responses
from moto.server import main

# moto's DynamoDB is not atomic under threads: several would win one conditional write.
_lock = threading.RLock()
_call_action = responses.DynamoHandler.call_action


def _one_at_a_time(self: Any) -> Any:
    with _lock:
        return _call_action(self)


responses.DynamoHandler.call_action = _one_at_a_time  # type: ignore[method-assign]

if __name__ == "__main__":
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
