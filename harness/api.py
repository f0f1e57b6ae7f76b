"""Calls of the handlers as API Gateway makes them: one small builder of events, one caller."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from harness import contract

BOUNDARY = "the-boundary"
MODEL_CSV = b"1, 2\n1, 4\n1, 0\n10, 2\n10, 4\n10, 0\n"
PREDICT_CSV = b"0, 0\n12, 3"


def csv(number: int) -> bytes:
    return MODEL_CSV + f"{number}, 0\n".encode()


@dataclass
class Context:
    """What Lambda tells a handler about the call."""

    seconds: float = 29.0
    function_name: str = "function"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def labels(self) -> list[int]:
        """Of a CSV answer."""
        return [int(float(line)) for line in self.text.split()]


def event(
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    owner: str | None = None,
) -> dict[str, Any]:
    """A proxy event as a REST API sends it."""
    path, _, query = path.partition("?")
    values = parse_qs(query, keep_blank_values=True)
    call = {"requestId": uuid.uuid4().hex, "requestTimeEpoch": int(time.time() * 1000)}
    authorizer = {"authorizer": {"owner": owner}} if owner else {}
    return {
        "httpMethod": method,
        "path": unquote(path),
        "resource": contract.template_of(path),
        "pathParameters": contract.path_parameters(path),
        "headers": headers,
        "multiValueHeaders": headers and {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: last for name, [*_, last] in values.items()} or None,
        "multiValueQueryStringParameters": values or None,
        "requestContext": call | authorizer,
        "body": base64.b64encode(body).decode() if body else None,
        "isBase64Encoded": bool(body),
    }


def answer_of(result: dict[str, Any]) -> Answer:
    headers = {name: values[0] for name, values in result.get("multiValueHeaders", {}).items()}
    headers |= result.get("headers") or {}
    body = result.get("body") or ""
    raw = base64.b64decode(body) if result.get("isBase64Encoded") else body.encode()
    return Answer(result["statusCode"], headers, raw)


def form(*parts: tuple[str, str | None, bytes], boundary: str = BOUNDARY) -> bytes:
    """multipart/form-data of (name, file name or None, content)."""
    out = b""
    for name, filename, content in parts:
        file = f'; filename="{filename}"' if filename is not None else ""
        out += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'.encode()
        out += (b"Content-Type: text/csv\r\n" if file else b"") + b"\r\n" + content + b"\r\n"
    return out + f"--{boundary}--\r\n".encode()


FORM_TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
JSON_TYPE = {"Content-Type": "application/json"}
ASYNC = {"Prefer": "respond-async"}
type Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Client:
    """The whole API in one process, for one owner; every answer is held to openapi.yaml."""

    def __init__(self, route: Callable[[str, str], Handler], owner: str | None = None) -> None:
        self._route = route
        self._owner = owner

    def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        context: Context | None = None,
    ) -> Answer:
        return self.send(event(method, path, body, headers, self._owner), context)

    def send(self, given: dict[str, Any], context: Context | None = None) -> Answer:
        """The answer to an event; `path` as it stands there, `resource` is not looked at."""
        method, path = given["httpMethod"], given["path"]
        answer = answer_of(self._route(method, path)(given, context or Context()))
        contract.check(method, path, answer.status, answer.headers, answer.body)
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.call("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def upload(self, content: bytes = MODEL_CSV, filename: str = "model.csv") -> Answer:
        body = form(("file", filename, content))
        return self.call("POST", "/kmeans/upload", body, FORM_TYPE)

    def post_json(self, path: str, value: Any, **headers: str) -> Answer:
        named = JSON_TYPE | {k.replace("_", "-"): v for k, v in headers.items()}
        return self.call("POST", path, json.dumps(value).encode(), named)

    def fit(self, job_id: int = 0, params: Any = None, **headers: str) -> Answer:
        body = {"job_id": job_id} | ({} if params is None else {"model_params": params})
        return self.post_json("/kmeans/fit", body, **headers)

    def predict(
        self, content: bytes = PREDICT_CSV, job_id: int = 0, path: str = "/kmeans/predict", **h: str
    ) -> Answer:
        body = form(("job_id", None, str(job_id).encode()), ("file", "predict.csv", content))
        headers = FORM_TYPE | {k.replace("_", "-"): v for k, v in h.items()}
        return self.call("POST", path, body, headers)
