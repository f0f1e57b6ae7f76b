"""Signatures of AWS: as botocore makes them of the very request that is sent."""

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kmeans_client import AwsSignature

URL = "https://abc.execute-api.eu-central-1.amazonaws.com/v1/kmeans/predict?answer=rows"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


def test_a_form_is_signed_with_its_body() -> None:
    form = {"data": {"job_id": "0"}, "files": {"file": ("a.csv", b"1,2\n")}}
    request = httpx.Request("POST", URL, **form)  # type: ignore[arg-type]
    request.read()
    sent = next(AwsSignature().auth_flow(request))
    assert sent.headers["X-Amz-Security-Token"] == "session"
    scope, signed, signature = sent.headers["Authorization"].split(", ")
    assert scope.endswith("/eu-central-1/execute-api/aws4_request")
    again = AWSRequest("POST", URL, data=sent.content, headers={"Host": sent.headers["Host"]})
    again.context["timestamp"] = sent.headers["X-Amz-Date"]
    again.headers["X-Amz-Date"] = sent.headers["X-Amz-Date"]
    again.headers["X-Amz-Security-Token"] = "session"
    signer = SigV4Auth(
        Credentials("AKIDEXAMPLE", "secret", "session"), "execute-api", "eu-central-1"
    )
    to_sign = signer.string_to_sign(again, signer.canonical_request(again))
    assert signature == f"Signature={signer.signature(to_sign, again)}"
    assert "host" in signed


def test_without_a_region_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ValueError, match="AWS_DEFAULT_REGION"):
        AwsSignature()
