"""Calls past botocore's clients: those few that requests are made of, and most of what these cost.

They are signed here (SigV4) and sent by the standard library. There is an answer, or None, and then
the caller asks the client, which retries, backs off and raises as it does for every other call.

So a call whose answer was lost is made twice, as the client itself would make it again: a read
changes nothing, and of each write its caller can tell that it has been made, by its condition, or
by the token of a transaction.
"""

import hashlib
import hmac
import json
import os
import ssl
import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from urllib3.util import wait_for_read

from kmeans_service import aws

# The client waits longer, if it comes to that.
TIMEOUT_SECONDS = 3.0
# Of an object of more bytes, these are what it costs.
SMALL_BYTES = 256 * 1024
JSON_1_0 = "application/x-amz-json-1.0"


class _Connections(threading.local):
    """A thread's own connections to where the clients send their calls, by URL."""

    def __init__(self) -> None:
        self.forget()

    def to(self, url: str) -> HTTPConnection | None:
        """Open or to be opened; None if only the client knows the way there."""
        if url not in self.known:
            self.known[url] = _connection(url)
        connection = self.known[url]
        if connection and connection.sock and wait_for_read(connection.sock, 0):
            connection.close()  # hung up at the other end while nobody called
        return connection

    def forget(self) -> None:
        self.known: dict[str, HTTPConnection | None] = {}


_connections = _Connections()
os.register_at_fork(after_in_child=_connections.forget)  # they are the parent's


def _connection(url: str) -> HTTPConnection | None:
    """None by way of a proxy, or below a path; TLS goes by the certificates botocore trusts."""
    host, path = urlsplit(url)[1:3]
    if get_environ_proxies(url) or path.strip("/"):
        return None
    if url.startswith("http:"):
        return HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    trusted = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)
    context = ssl.create_default_context(cafile=trusted)
    return HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=context)


def dynamodb(operation: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """DynamoDB's answer to these arguments of an operation; None if it takes the client."""
    headers = {"content-type": JSON_1_0, "x-amz-target": f"DynamoDB_20120810.{operation}"}
    text = _sent(aws.dynamodb(), "POST", "/", headers, json.dumps(request).encode())
    if text is None:
        return None
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return None
    return found


def put_object(bucket: str, key: str, body: bytes, content_type: str) -> bool:
    """Whether S3 has written a new object; False if it takes the client, or it is not new.

    Its digest is signed with the call: S3 takes no other bytes.
    """
    if len(body) > SMALL_BYTES:
        return False
    headers = {
        "content-type": content_type,
        "if-none-match": "*",
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    path = quote(f"/{bucket}/{key}", safe="/~")
    return _sent(aws.s3(), "PUT", path, headers, body) is not None


def _sent(
    client: Any, method: str, path: str, headers: dict[str, str], body: bytes
) -> bytes | None:
    """The body of a plain 200, from where the client would send the call to."""
    meta, credentials = client.meta, aws.credentials()
    connection = _connections.to(meta.endpoint_url)
    if connection is None or credentials is None:
        return None
    headers |= {"host": urlsplit(meta.endpoint_url).netloc}
    where = f"{meta.region_name}/{meta.service_model.signing_name}"
    signing = signed(method, path, headers, body, where, credentials)
    try:
        connection.request(method, path, body, signing | {"user-agent": aws.USER_AGENT})
        answer = connection.getresponse()
        text = answer.read()
    except (OSError, HTTPException):
        connection.close()
        return None
    return text if answer.status == 200 else None


def signed(
    method: str, path: str, headers: dict[str, str], body: bytes, where: str, credentials: Any
) -> dict[str, str]:
    """The call's headers, with a signature of them and the body.

    where  region and service: "eu-central-1/s3"
    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = headers | {"x-amz-date": moment}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    in_order = sorted(headers.items())
    names = ";".join(name for name, _ in in_order)
    lines = "".join(f"{name}:{value}\n" for name, value in in_order)
    canonical = f"{method}\n{path}\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{where}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, scope)
    signature = _hmac(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=4)
def _signing_key(secret: str, scope: str) -> bytes:
    """Good for a day."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
