"""Who calls: an API token, or an AWS signature where a deployment asks for one."""

from collections.abc import Generator
from typing import Any

import httpx

from kmeans_client.problems import InvalidInput


class Token(httpx.Auth):
    """`Authorization: Bearer km_…`"""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class AwsSignature(httpx.Auth):
    """Version 4 signatures by botocore (the extra `aws`), for `Access=IAM`.

    region       of the API; default: that of the AWS profile or environment
    profile      a profile of the AWS configuration; default: the usual chain of credentials
    """

    requires_request_body = True  # which is signed

    def __init__(self, region: str | None = None, profile: str | None = None) -> None:
        try:
            from botocore.session import Session
        except ImportError as error:
            raise InvalidInput(
                "AWS signatures need botocore: pip install 'kmeans-service-client[aws]'"
            ) from error
        session = Session(profile=profile)
        self._region = region or session.get_config_variable("region")
        if not self._region:
            raise InvalidInput("No AWS region: give one, or set AWS_DEFAULT_REGION")
        self._credentials: Any = session.get_credentials()
        if self._credentials is None:
            raise InvalidInput("No AWS credentials in the environment or the AWS configuration")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={"Host": request.headers["Host"]},
        )
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(
            signed
        )
        for name, value in signed.headers.items():
            request.headers[name] = value
        yield request
