"""GetItem past botocore's client: the call that every request makes, and nearly all that it costs.

It is signed here (SigV4) and sent by the standard library. There is an answer, or None, and then
the caller asks the client, which retries, backs off and raises as it does for every other call.
A read changes nothing: no harm in asking twice.
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
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies
from urllib3.util import wait_for_read

from kmeans_service import aws

# The client waits longer, if it comes to that.
TIMEOUT_SECONDS = 3.0
CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET = "DynamoDB_20120810.GetItem"


class _Connections(threading.local):
    """A thread's own connection to where the client of DynamoDB sends its calls."""

    url = ""
    connection: HTTPConnection | None = None

    def to(self, url: str) -> HTTPConnection | None:
        """Open or to be opened; None if the way there leads through a proxy."""
        if self.url != url:
            self.url, self.connection = url, _connection(url)
        elif self.connection and self.connection.sock and wait_for_read(self.connection.sock, 0):
            self.connection.close()  # hung up at the other end while nobody called
        return self.connection

    def forget(self) -> None:
        self.url, self.connection = "", None


_connections = _Connections()
os.register_at_fork(after_in_child=_connections.forget)  # it is the parent's


def _connection(url: str) -> HTTPConnection | None:
    """TLS goes by the certificates that botocore trusts."""
    host = urlsplit(url).netloc
    if get_environ_proxies(url):
        return None
    if url.startswith("http:"):
        return HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    trusted = os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True)
    context = ssl.create_default_context(cafile=trusted)
    return HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=context)


def get_item(request: Mapping[str, Any]) -> dict[str, Any] | None:
    """DynamoDB's answer to these arguments of GetItem; None if it takes the client to get one."""
    meta, credentials = aws.dynamodb().meta, aws.credentials()
    connection = _connections.to(meta.endpoint_url)
    if connection is None or credentials is None:
        return None
    body = json.dumps(request).encode()
    host = meta.endpoint_url.partition("//")[2]
    try:
        connection.request("POST", "/", body, signed(host, meta.region_name, credentials, body))
        answer = connection.getresponse()
        text = answer.read()
        found: dict[str, Any] | None = json.loads(text) if answer.status == 200 else None
    except (OSError, HTTPException, ValueError):
        connection.close()
        return None
    return found


def signed(host: str, region: str, credentials: Any, body: bytes) -> dict[str, str]:
    """The call's headers, with a signature of them and the body.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    headers = {"content-type": CONTENT_TYPE, "host": host, "x-amz-date": moment}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = TARGET
    names = ";".join(headers)  # in alphabetical order
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{moment[:8]}/{region}/dynamodb/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, scope)
    signature = _hmac(key, f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=1)
def _signing_key(secret: str, scope: str) -> bytes:
    """Good for a day."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
