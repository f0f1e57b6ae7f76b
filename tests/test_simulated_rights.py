"""Every call of AWS that a function makes is one that its role allows; what it must not do is not.

The calls are found twice. They are recorded while the handlers serve what they are for, with the
keys they are made with; and they are read from the code, so that a call which nothing here makes
cannot be forgotten. IAM's own rules, conditions, bucket and queue policies included, are those of
iam-simulate.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness import PROJECT
from harness.fake_aws.environment import TABLE
from harness.fake_aws.state import empty_aws
from harness.iam import calls
from harness.iam.rare import NEVER, RARE
from harness.iam.recording import Recorded, Recorder, handler_name, requests, use_everything
from harness.iam.simulation import (
    ACCOUNT,
    ARNS,
    BUCKET,
    KEY,
    QUEUE,
    REGION,
    TABLE_ARN,
    Request,
    asked_by,
    simulation,
)
from harness.needed import missing
from harness.template.reading import functions
from harness.template.sam import environment
from kmeans_service import aws, direct
from kmeans_service.owners import tokens
from local.tokens import TokenTable

Json = Any


@pytest.fixture(scope="module")
def recorded(
    aws_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Recorded]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        empty_aws(aws_endpoint, monkeypatch)
        # A call past the client is made by the client then, with the same arguments.
        monkeypatch.setattr(direct, "_sent", lambda *_: None)
        recorder = Recorder(tmp_path_factory.mktemp("calls") / "recorded")
        use_everything(recorder)
        token, _ = TokenTable(aws.dynamodb(), TABLE).create("alice", "test")
        recorder.run("AuthorizerFunction", lambda: tokens.owner_of(token))
        yield recorder.recorded()


@pytest.fixture(scope="module")
def simulate() -> Callable[[list[Json]], list[str]]:
    if not (shutil.which("node") and shutil.which("npm")):
        missing("the simulator of IAM needs node and npm, which are not here")
    subprocess.run(
        ["make", "harness/iam/node_modules/.installed"],
        cwd=PROJECT,
        env=environment(),
        capture_output=True,
        check=True,
    )

    def answers(simulations: list[Json]) -> list[str]:
        run = subprocess.run(
            ["node", PROJECT / "harness/iam/simulate.mjs"],
            input=json.dumps(simulations),
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        found: list[str] = json.loads(run.stdout)
        return found

    return answers


Simulate = Callable[[list[Json]], list[str]]


def allowed(simulate: Simulate, asked: list[tuple[str, Request]], *true: str) -> set[int]:
    """Places of the requests that are allowed."""
    answers = simulate([asked_by(function, request, *true) for function, request in asked])
    return {place for place, answer in enumerate(answers) if answer == "Allowed"}


def everything_asked(recorded: list[Recorded]) -> list[tuple[str, Request]]:
    """By each function, each once; a key is as good as another of its prefix."""
    rare = [(name, call, params) for (name, call), given in RARE.items() for params in given]
    found = {}
    for function, call, params in [*recorded, *rare]:
        for request in requests(call, params):
            action, resource, context = request
            prefix = re.sub(rf"(?<=^{BUCKET}/)(\w+)/.*", r"\1", resource)
            like = json.dumps([function, action, prefix, re.sub(r"/.*", "", str(context))])
            found.setdefault(like, (function, request))
    return list(found.values())


# --- tests --------------------------------------------------------------------------


def test_every_call_that_the_code_can_make_is_among_those_that_are_asked_about(
    recorded: list[Recorded],
) -> None:
    seen = {(function, call) for function, call, _ in recorded}
    read = {
        (function, call)
        for function in functions()
        for call in calls.reachable_calls(handler_name(function))
    }
    transfers = {"create_multipart_upload", "upload_part", "complete_multipart_upload"}
    assert {entry for entry in seen - read if entry[1][1] not in transfers} == set()
    assert read - seen == (RARE.keys() | NEVER.keys()) - seen
    assert {call for _, call in read} == calls.all_calls()


def test_every_call_is_allowed(recorded: list[Recorded], simulate: Simulate) -> None:
    asked = everything_asked(recorded)
    may = allowed(simulate, asked)
    assert [entry for place, entry in enumerate(asked) if place not in may] == []
    assert len(asked) > 60


def test_what_lambda_does_in_a_functions_name_is_allowed(simulate: Simulate) -> None:
    """It writes the log and the trace with the function's role, and takes messages with it."""
    streams = ARNS["FunctionLogs"].removesuffix("*") + "log-stream:2026/11/27/[$LATEST]0"
    asked: list[tuple[str, Request]] = [
        *(
            (function, (action, resource, {}))
            for function in functions()
            for action, resource in (
                ("logs:CreateLogStream", streams),
                ("logs:PutLogEvents", streams),
                ("xray:PutTraceSegments", "*"),
            )
        ),
        *(
            ("FitWorkerFunction", (f"sqs:{action}", QUEUE, {}))
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
        ),
    ]
    may = allowed(simulate, asked)
    assert [entry for place, entry in enumerate(asked) if place not in may] == []


def test_who_reads_an_object_is_told_that_it_is_missing(
    recorded: list[Recorded], simulate: Simulate
) -> None:
    """S3 answers 404 to those only who may list, and 403 to the others, as if it were forbidden."""
    readers = {function for function, call, _ in recorded if call[1] == "get_object"}
    assert readers == {
        *("FitFunction", "FitWorkerFunction", "ConvertFunction"),
        *("PredictFunction", "ExplainFunction", "JobsFunction"),
    }
    asked: list[tuple[str, Request]] = [
        (function, ("s3:ListBucket", BUCKET, {})) for function in sorted(readers)
    ]
    assert allowed(simulate, asked) == set(range(len(asked)))


def test_with_a_key_of_ones_own_every_call_may_use_it(
    recorded: list[Recorded], simulate: Simulate
) -> None:
    needed = {
        (function, action, service)
        for function, (done, _, _) in everything_asked(recorded)
        for service, actions in [(done.partition(":")[0], key_actions(done))]
        for action in actions
    }
    asked: list[tuple[str, Request]] = [
        (function, (action, KEY, {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}))
        for function, action, service in sorted(needed)
    ]
    may = allowed(simulate, asked, "HasKmsKey")
    assert [entry for place, entry in enumerate(asked) if place not in may] == []
    assert allowed(simulate, asked) == set()  # without one there are no rights on keys at all


def key_actions(done: str) -> list[str]:
    """What a call does with the key; a multipart upload also decrypts."""
    if done in ("s3:PutObject", "sqs:SendMessage"):
        return ["kms:GenerateDataKey", "kms:Decrypt"]
    reads = done.startswith("dynamodb:") or done.startswith("s3:GetObject")
    return ["kms:Decrypt"] if reads else []


OTHER_TABLE = TABLE_ARN.replace("kmeans", "other")
OTHER_BUCKET = BUCKET.replace("kmeans", "other")
OWN_KEYS, TOKEN_KEYS = ({"dynamodb:LeadingKeys": [f"{kind}#alice"]} for kind in "OT")
NOT_TO_BE: list[tuple[str, Request]] = [
    *(
        (name, ("s3:PutObject", f"{BUCKET}/models/alice/0/f/1/model.joblib", {}))
        for name in (
            *("UploadFunction", "PredictFunction", "ExplainFunction"),
            *("JobsFunction", "SweeperFunction"),
        )
    ),
    *(
        (f"{name}Function", (f"s3:{action}Object", f"{OTHER_BUCKET}/inputs/alice/a.csv", {}))
        for name in ("Upload", "Fit", "FitWorker", "Predict", "Explain", "Jobs", "Sweeper")
        for action in ("Get", "Put", "Delete")
    ),
    *(  # what it writes there would start it again
        (name, ("s3:PutObject", f"{BUCKET}/incoming/alice/a.csv", {}))
        for name in ("UploadFunction", "FitFunction", "FitWorkerFunction", "PredictFunction")
    ),
    ("UploadFunction", ("s3:GetObject", f"{BUCKET}/models/alice/0/f/1/model.joblib", {})),
    ("PredictFunction", ("s3:PutObject", f"{BUCKET}/inputs/alice/a.csv", {})),
    ("PredictFunction", ("s3:PutObject", f"{BUCKET}/models/alice/0/f/1/manifest.json", {})),
    ("ExplainFunction", ("s3:PutObject", f"{BUCKET}/inputs/alice/a.csv", {})),
    ("ExplainFunction", ("s3:DeleteObject", f"{BUCKET}/models/alice/0/f/1/centers.npy", {})),
    ("ExplainFunction", ("dynamodb:GetItem", TABLE_ARN, TOKEN_KEYS)),
    ("PredictFunction", ("s3:DeleteObject", f"{BUCKET}/models/alice/0/f/1/centers.npy", {})),
    ("JobsFunction", ("s3:ListBucket", BUCKET, {"s3:prefix": "models/"})),
    ("FitFunction", ("s3:PutBucketPolicy", BUCKET, {})),
    *(
        (name, (f"dynamodb:{action}", TABLE_ARN, TOKEN_KEYS))
        for name in ("UploadFunction", "FitFunction", "FitWorkerFunction", "PredictFunction")
        for action in ("GetItem", "PutItem", "UpdateItem")
    ),
    *(
        (name, ("dynamodb:GetItem", OTHER_TABLE, OWN_KEYS))
        for name in ("UploadFunction", "FitFunction", "JobsFunction", "PredictFunction")
    ),
    *(  # what it reads was sent by anybody
        ("ConvertFunction", request)
        for request in (
            ("s3:PutObject", f"{BUCKET}/inputs/alice/a.csv", {}),
            ("s3:PutObject", f"{BUCKET}/pending/alice/0/input.csv", {}),
            ("s3:GetObject", f"{BUCKET}/models/alice/0/f/1/model.joblib", {}),
            ("s3:DeleteObject", f"{BUCKET}/inputs/alice/converted/a.csv", {}),
            ("dynamodb:GetItem", TABLE_ARN, OWN_KEYS),
            ("sqs:SendMessage", QUEUE, {}),
        )
    ),
    ("PredictFunction", ("lambda:InvokeFunction", ARNS["ConvertFunction"], {})),
    ("AuthorizerFunction", ("dynamodb:GetItem", TABLE_ARN, OWN_KEYS)),
    ("AuthorizerFunction", ("dynamodb:PutItem", TABLE_ARN, TOKEN_KEYS)),
    ("DocsFunction", ("dynamodb:GetItem", TABLE_ARN, OWN_KEYS)),
    ("SweeperFunction", ("dynamodb:PutItem", TABLE_ARN, OWN_KEYS)),
    ("SweeperFunction", ("dynamodb:GetItem", TABLE_ARN, TOKEN_KEYS)),
    ("FitWorkerFunction", ("dynamodb:DeleteTable", TABLE_ARN, {})),
    ("JobsFunction", ("sqs:SendMessage", QUEUE, {})),
    ("FitFunction", ("sqs:SendMessage", ARNS["FitDeadLetterQueue"], {})),
    ("FitFunction", ("sqs:ReceiveMessage", QUEUE, {})),
    ("UploadFunction", ("logs:CreateLogGroup", ARNS["FunctionLogs"], {})),
]


def test_nothing_else_is_allowed(simulate: Simulate) -> None:
    may = allowed(simulate, NOT_TO_BE)
    assert [entry for place, entry in enumerate(NOT_TO_BE) if place in may] == []


def test_not_even_an_administrator_writes_models_or_comes_without_tls(simulate: Simulate) -> None:
    administrator = f"arn:aws:iam::{ACCOUNT}:role/Administrator"
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policies = [
        {"name": "Everything", "policy": {"Version": "2012-10-17", "Statement": everything}}
    ]
    in_clear = {"aws:SecureTransport": "false"}
    requests: list[Request] = [
        ("s3:GetObject", f"{BUCKET}/models/alice/0/f/1/centers.npy", {}),
        ("s3:PutObject", f"{BUCKET}/models/alice/0/f/1/centers.npy", {}),
        ("s3:GetObject", f"{BUCKET}/models/alice/0/f/1/centers.npy", in_clear),
        ("sqs:SendMessage", QUEUE, in_clear),
    ]
    answers = simulate([simulation(administrator, policies, request) for request in requests])
    assert answers == ["Allowed", "ExplicitlyDenied", "ExplicitlyDenied", "ExplicitlyDenied"]
