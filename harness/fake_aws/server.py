"""moto over real HTTP, in a process of its own: a forked worker reaches it like its parent does.

python harness/fake_aws/server.py prints its URL once it can be called; it ends with who started
it.
"""

import os
import sys
import threading
from typing import Any

import moto.dynamodb.responses as responses
from moto import backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

# Which moto reads from the file system for every request.
_modules = frozenset(backends.list_of_moto_modules())
backends.list_of_moto_modules = lambda: _modules

# moto's DynamoDB is not atomic under threads: several would win one conditional write.
_lock = threading.RLock()
_call_action = responses.DynamoHandler.call_action


def _one_at_a_time(self: Any) -> Any:
    with _lock:
        return _call_action(self)


responses.DynamoHandler.call_action = _one_at_a_time  # type: ignore[method-assign]


def _end_with_parent() -> None:
    """Nothing is ever written to us: what there is to read is the end."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
