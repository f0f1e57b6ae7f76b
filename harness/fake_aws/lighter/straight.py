"""DynamoDB has one path and most of the calls: they go to its handler past Flask.

What the handler raises goes by Flask, which makes an answer of it.
"""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask, Response
from moto.dynamodb.responses import DynamoHandler
from moto.moto_server.werkzeug_app import BackendRequest
from werkzeug.datastructures import MultiDict

_RAISED = "harness.raised"


class Straight:
    """The application of a service whose calls are all POST /."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        views: Any = app.view_functions.values()
        for view in views:
            view.callback = _again

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != ("POST", "/"):
            return self._app(environ, start)
        request = BackendRequest(environ)
        if request.mimetype.startswith("application/x-amz-json"):
            # No form is looked for in the body.
            request.__dict__.update(form=MultiDict(), files=MultiDict())
        try:
            status, headers, body = _dispatch(request, request.raw_url, dict(request.headers))
        except Exception as error:  # noqa: BLE001 (Flask knows what to do)
            environ[_RAISED] = error
            return self._app(environ, start)
        return Response(response=body, status=status, headers=headers)(environ, start)


def _dispatch(*request: Any) -> Any:
    return DynamoHandler.dispatch(*request)


def _again(request: BackendRequest, *given: Any) -> Any:
    if _RAISED in request.environ:
        raise request.environ[_RAISED]
    return _dispatch(request, *given)
