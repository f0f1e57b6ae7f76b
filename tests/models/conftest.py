"""What these tests share."""

import base64
from typing import Any

import pytest

from harness.api import Client
from harness.data.older_models import LEFT
from harness.system import put
from kmeans_service import config
from kmeans_service.table import clock


@pytest.fixture
def before(client: Client, aws: Any) -> Client:
    for found in LEFT["items"]:
        late = {"expires_at": {"N": str(clock.seconds(10**6))}} if "expires_at" in found else {}
        aws.dynamodb().put_item(TableName=config.settings().jobs_table, Item=found | late)
    for key, body in LEFT["objects"].items():
        put(key, base64.b64decode(body))
    return client
