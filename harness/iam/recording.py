"""What the handlers ask of AWS while they serve what they are for, and what that needs of IAM."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests as requests_of_http
from botocore import xform_name

from harness import contract, system
from harness.api import ASYNC, FORM_TYPE, JSON_TYPE, MODEL_CSV, Client, form
from harness.iam.calls import Call
from harness.iam.simulation import ARNS, BUCKET, QUEUE, TABLE_ARN, Request
from kmeans_service import aws, config
from kmeans_service.models import loading
from kmeans_service.table.values import marshal
from local.contract import ANY_METHOD

Json = Any
HANDLERS = {"FitWorkerFunction": "worker.app", "SweeperFunction": "sweeper.app"}

LINES = b'{"x": 1}\n{"x": 2}\n{"x": 9}\n'
type Recorded = tuple[str, Call, Json]  # function, call, its parameters


class Recorder:
    """Writes down each call of AWS's while a function runs, in its forked children too."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.function: str | None = None
        for client in (aws.s3(), aws.dynamodb(), aws.sqs()):
            client.meta.events.register("before-parameter-build", self._record)
        called: Any = aws.functions()
        called.around = self._convert

    def run(self, function: str, work: Callable[[], Any]) -> Any:
        caller, self.function = self.function, function
        try:
            return work()
        finally:
            self.function = caller

    def _convert(self, work: Callable[[], Any]) -> Any:
        assert self.function is not None
        self.note(self.function, ("functions", "invoke"), {})
        return self.run("ConvertFunction", work)

    def serve(self, function: str, handler: Any) -> Any:
        return lambda event, context: self.run(function, lambda: handler(event, context))

    def _record(self, params: Json, model: Any, **_: Any) -> None:
        # A presigned form makes one to learn of the bucket's address; it is not sent.
        if self.function and model.name != "CreateBucket":
            service = model.service_model.service_name
            self.note(self.function, (service, xform_name(model.name)), params)

    def note(self, function: str, call: Call, params: Json) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps([function, call, params], default=str) + "\n")

    def recorded(self) -> list[Recorded]:
        lines = map(json.loads, self.file.read_text().splitlines())
        return [(function, tuple(call), params) for function, call, params in lines]


def handler_name(function: str) -> str:
    return HANDLERS.get(function, f"{function.removesuffix('Function').lower()}.app")


def function_at(path: str) -> str:
    item = contract.document()["paths"][contract.template_of(path)]
    return contract.function_of(item[ANY_METHOD])


def use_everything(recorder: Recorder) -> None:
    """All that the service is for, once."""
    client = Client(
        lambda _method, path: recorder.serve(function_at(path), contract.handler_of(path)), "alice"
    )

    def deliver(*bodies: str) -> None:
        assert recorder.run("FitWorkerFunction", lambda: system.deliver(*bodies)) == 0

    def reserve(path: str, wanted: Json) -> Json:
        answer = client.post_json(path, wanted).json()
        params = {"Key": answer["fields"]["key"]}  # its signer may do what the form does
        recorder.note(function_at(path), ("s3", "put_object"), params)
        return answer

    client.upload()
    client.upload()
    client.fit(0)
    loading.forget()
    for path in ("predict", "transform", "score"):
        assert client.predict(path=f"/kmeans/{path}").status == 200
    assert client.predict(path="/kmeans/predict?answer=rows").status == 200
    made = ("/rows", "/audit", "/clusters", "/projection", "/report", "/migration?from=0")
    for part in ("", "/labels", "/scores", "/centers", "/input", "/model", *made):
        assert client.get(f"/kmeans/jobs/0{part}").status == 200
    for named in (b'{"clusters": {"0": "few"}}', b'{"clusters": {"0": "many"}}'):
        assert client.call("PATCH", "/kmeans/jobs/0", named, JSON_TYPE).status == 200
    both = form(
        ("file", "both.csv", MODEL_CSV + b"2,2\n"),
        ("model_params", None, b'{"algorithm": "swap"}'),
        ("align_to", None, b"0"),
    )
    assert client.call("POST", "/kmeans/fit_predict", both, FORM_TYPE).status == 200
    client.upload(MODEL_CSV + b"1,1\n", "later.csv")
    client.fit(2, **ASYNC)
    deliver(*system.take_messages())
    large = reserve("/kmeans/uploads", {"filename": "large.csv", "model_params": {}})
    deliver(system.drop(large["fields"]["key"], MODEL_CSV))
    points = reserve("/kmeans/predictions", {"job_id": 0})
    deliver(system.drop(points["fields"]["key"], MODEL_CSV))
    assert client.get(f"/kmeans/predictions/{points['prediction_id']}").status == 303
    client.upload(LINES, "lines.jsonl")
    deliver(system.created("pending/alice/4/input.csv"))
    both = form(("file", "both.jsonl", LINES + LINES))
    assert client.call("POST", "/kmeans/fit_predict", both, FORM_TYPE | ASYNC).status == 202
    deliver(system.created("pending/alice/5/input.csv"))
    dropped = {"model_params": '{"algorithm": "swap"}', "align_to": "0"}
    deliver(system.drop("incoming/alice/dropped.csv", MODEL_CSV + b"3,3\n", **dropped))
    deliver(system.drop("incoming/alice/bad.csv", b"a,b\nc,d\n"))
    send_in_parts(client, recorder)
    deliver(dataset())
    fitted = client.get("/kmeans/jobs?status=SUCCEEDED").json()["jobs"]
    assert len(fitted) == 6
    for job in fitted[1:]:
        assert client.call("DELETE", f"/kmeans/jobs/{job['job_id']}").status == 204
    [listed] = [job for job in client.get("/kmeans/jobs").json()["jobs"] if "files" in job]
    assert client.call("DELETE", f"/kmeans/jobs/{listed['job_id']}").status == 204
    lost = client.upload(MODEL_CSV + b"4,4\n", "lost.csv").json()["job_id"]
    client.fit(lost, **ASYNC)
    forget_line()  # whoever asked for the fit died before it stood there
    system.let_leases_run_out("alice")
    [doomed] = [item for item in system.items("alice") if item.get("filename") == "dropped.csv"]
    system.overwrite(doomed, status="DELETING", gsi1pk="ACTIVE", due_at=1, lease_until=1)
    swept = recorder.run("SweeperFunction", system.sweep)
    assert (swept["queued"], swept["deleted"]) == (1, 1)


def send_in_parts(client: Client, recorder: Recorder) -> None:
    """One upload is completed, one given up, one deleted with its job, one left lying."""
    wanted = {"filename": "parts.csv", "parts": True, "size": len(MODEL_CSV)}
    jobs = [client.post_json("/kmeans/uploads", wanted).json() for _ in range(4)]
    first, second, third, _ = jobs
    requests_of_http.put(first["parts"][0]["url"], data=MODEL_CSV, timeout=30).raise_for_status()
    path = "/kmeans/uploads"
    assert client.get(f"{path}/{first['job_id']}").json()["received"] == len(MODEL_CSV)
    assert client.call("POST", f"{path}/{first['job_id']}").status == 202
    assert client.call("DELETE", f"{path}/{second['job_id']}").status == 204
    assert client.call("DELETE", f"/kmeans/jobs/{third['job_id']}").status == 204
    system.let_leases_run_out("alice")
    assert recorder.run("SweeperFunction", system.sweep)["lapsed"] == 1


def dataset() -> str:
    """The notification of one that is complete."""
    for name in ("part-0.csv", "part-1.csv"):
        system.put(f"datasets/alice/nightly/{name}", MODEL_CSV)
    return system.drop("datasets/alice/nightly/_SUCCESS", b"")


def forget_line() -> None:
    for found in system.items_under("Q"):
        key = marshal({"pk": found["pk"], "sk": found["sk"]})
        aws.dynamodb().delete_item(TableName=config.settings().jobs_table, Key=key)


def requests(call: Call, params: Json) -> Iterator[Request]:
    """What a call needs to be allowed; a key or a prefix is one of the real call's."""
    match call:
        case "s3", "list_object_versions":
            yield "s3:ListBucketVersions", BUCKET, {"s3:prefix": params["Prefix"]}
        case "s3", "delete_objects":
            for entry in params["Delete"]["Objects"]:
                yield from requests(("s3", "delete_object"), entry)
        case "s3", operation:
            version = "Version" if params.get("VersionId") else ""
            yield S3_ACTIONS[operation] + version, f"{BUCKET}/{params['Key']}", {}
        case "functions", "invoke":
            yield "lambda:InvokeFunction", ARNS["ConvertFunction"], {}
        case "sqs", operation:
            yield SQS_ACTIONS[operation], QUEUE, {}
        case "dynamodb", "transact_write_items":
            for element in params["TransactItems"]:
                [(kind, write)] = element.items()
                yield f"dynamodb:{kind}Item", TABLE_ARN, leading_key(write)
        case "dynamodb", operation:
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            yield f"dynamodb:{DYNAMODB[operation]}", TABLE_ARN + index, leading_key(params)


S3_ACTIONS = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "list_parts": "s3:ListMultipartUploadParts",
    "put_object": "s3:PutObject",
    "create_multipart_upload": "s3:PutObject",
    "upload_part": "s3:PutObject",
    "complete_multipart_upload": "s3:PutObject",
    "abort_multipart_upload": "s3:AbortMultipartUpload",
    "delete_object": "s3:DeleteObject",
}
SQS_ACTIONS = {
    "send_message": "sqs:SendMessage",
    "receive_message": "sqs:ReceiveMessage",
    "delete_message_batch": "sqs:DeleteMessage",
    "get_queue_attributes": "sqs:GetQueueAttributes",
}
DYNAMODB = {
    "delete_item": "DeleteItem",
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "query": "Query",
}


def leading_key(params: Json) -> dict[str, list[str]]:
    """The partition key, as a condition sees it."""
    if "KeyConditionExpression" in params:
        # The partition key comes first.
        [name] = re.findall(r"= (:\w+)", params["KeyConditionExpression"])[:1]
        value = params["ExpressionAttributeValues"][name]
    else:
        value = (params.get("Key") or params["Item"])["pk"]
    return {"dynamodb:LeadingKeys": [value["S"]]}
