"""moto over real HTTP, in a process of its own: a forked worker reaches it like its parent does.

python -m harness.fake_aws.server prints its URL once it can be called; it ends with who started
it.
"""

import os
import sys
import threading
from collections.abc import Iterable
from copy import deepcopy
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import moto.dynamodb.responses as responses
from moto import backends
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.serving import make_server

from harness.fake_aws.connections import Connection
from harness.fake_aws.environment import ACCOUNT, REGION
from harness.fake_aws.lighter import application

# moto's DynamoDB is not atomic under threads: several would win one conditional write.
_lock = threading.RLock()
_call_action = responses.DynamoHandler.call_action


def _one_at_a_time(self: Any) -> Any:
    with _lock:
        return _call_action(self)


responses.DynamoHandler.call_action = _one_at_a_time  # type: ignore[method-assign]


class Beginnings:
    """moto, and a way to be back at a beginning without the calls that made it.

    POST /emptied   removes everything, and is at the beginning that the body names;
                    404 if there is no such
    POST /begun     what there is now is the beginning that the body names
    """

    def __init__(self, moto: WSGIApplication) -> None:
        self._moto = moto
        self._known: dict[bytes, tuple[Any, Any, list[str]]] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        act = {"/emptied": self._emptied, "/begun": self._begun}.get(environ["PATH_INFO"])
        if act is None:
            return self._moto(environ, start)
        name = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        with _lock:
            start("204 No Content" if act(name) else "404 Not Found", [("Content-Length", "0")])
        return []

    def _emptied(self, name: bytes) -> bool:
        moto_api_backend.reset()
        if name not in self._known:
            return False
        buckets, tables, queues = self._known[name]
        _backend("s3", "aws").buckets.update(deepcopy(buckets))
        # Whose names are one for all accounts.
        _backends("s3").bucket_accounts.update(dict.fromkeys(buckets, ("aws", ACCOUNT)))
        _backend("dynamodb", REGION).tables.update(deepcopy(tables))
        for queue in queues:
            _backend("sqs", REGION).create_queue(queue)
        return True

    def _begun(self, name: bytes) -> bool:
        buckets = deepcopy(_backend("s3", "aws").buckets)
        tables = deepcopy(_backend("dynamodb", REGION).tables)
        self._known[name] = buckets, tables, list(_backend("sqs", REGION).queues)
        return True


def _backends(service: Any) -> Any:
    return backends.get_backend(service)


def _backend(service: str, region: str) -> Any:
    return _backends(service)[ACCOUNT][region]


def _end_with_parent() -> None:
    """Nothing is ever written to us: what there is to read is the end."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    server = make_server(
        "127.0.0.1",
        0,
        Beginnings(DomainDispatcherApplication(application)),
        threaded=True,
        request_handler=Connection,
    )
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve_forever()
