"""What the code can call and what use of it does not: never, or in a crash or a race alone."""

from typing import Any

from harness.iam import calls

Json = Any

# What the code can reach by its names and never does.
NEVER = {
    ("DocsFunction", ("dynamodb", "update_item")): "its requests are not counted",
    ("UploadFunction", ("s3", "delete_object")): "that is for a version, which its files have not",
    ("FitFunction", ("s3", "delete_object")): "likewise",
    ("ExplainFunction", ("s3", "delete_object")): "likewise, of what it makes",
    ("PredictFunction", ("s3", "delete_object")): "likewise, of what it makes",
}
MADE = "models/alice/0/f/1/made/rows/r"
OWNED = {"Key": {"pk": {"S": "O#alice"}}}
COUNTED = {
    "KeyConditionExpression": "pk = :pk",
    "ExpressionAttributeValues": {":pk": {"S": "O#alice"}},
}
# What is done only in a crash, in a race or by the hundredth call; with what.
RARE: dict[tuple[str, calls.Call], list[Json]] = {
    ("UploadFunction", ("s3", "get_object")): [{"Key": "inputs/alice/a.csv"}],
    ("UploadFunction", ("s3", "list_object_versions")): [{"Prefix": "inputs/alice/a.csv"}],
    ("FitFunction", ("s3", "list_object_versions")): [
        {"Prefix": "models/alice/0/f/1/"},
        {"Prefix": "inputs/alice/a.csv"},
    ],
    ("FitWorkerFunction", ("s3", "list_object_versions")): [
        {"Prefix": f"{kind}/alice/0/"}
        for kind in ("inputs", "models", "names", "pending", "results")
    ],
    ("SweeperFunction", ("s3", "get_object")): [{"Key": "inputs/alice/a.files.json"}],
    ("FitFunction", ("s3", "abort_multipart_upload")): [{"Key": "models/alice/0/f/1/labels.csv"}],
    ("FitWorkerFunction", ("s3", "abort_multipart_upload")): [
        {"Key": "models/alice/0/f/1/labels.csv"},
        {"Key": "results/alice/0/p.csv"},
    ],
    ("ConvertFunction", ("s3", "abort_multipart_upload")): [
        {"Key": "inputs/alice/converted/a.csv"}
    ],
    ("FitWorkerFunction", ("sqs", "delete_message_batch")): [{}],
    ("FitWorkerFunction", ("sqs", "send_message")): [{}],
    ("FitWorkerFunction", ("s3", "head_object")): [{"Key": MADE}],
    ("SweeperFunction", ("sqs", "send_message")): [{}],
    ("SweeperFunction", ("dynamodb", "transact_write_items")): [
        {"TransactItems": [{"Delete": OWNED}, {"Update": OWNED}]}
    ],
    ("FitFunction", ("s3", "head_object")): [{"Key": "models/alice/0/f/1/labels.csv"}],
    ("JobsFunction", ("s3", "head_object")): [
        {"Key": f"{kind}/alice/0/x"} for kind in ("inputs", "models", "results")
    ],
    **{
        (name, call): [what]
        for name in ("PredictFunction", "ExplainFunction")
        for call, what in {
            ("s3", "list_object_versions"): {"Prefix": MADE},
            ("s3", "abort_multipart_upload"): {"Key": MADE},
            ("s3", "head_object"): {"Key": MADE},
            ("dynamodb", "update_item"): OWNED,
            ("dynamodb", "put_item"): {"Item": {"pk": {"S": "Q"}}},
            ("sqs", "send_message"): {},
        }.items()
    },
    **{
        (name, ("dynamodb", "query")): [COUNTED]
        for name in (
            *("UploadFunction", "FitFunction", "FitWorkerFunction"),
            *("PredictFunction", "ExplainFunction"),
        )
    },
}
for (name, (service, call)), given in list(RARE.items()):
    if call == "list_object_versions":  # what is found is deleted
        found = [{"Key": entry["Prefix"] + "x", "VersionId": "v"} for entry in given]
        RARE[name, (service, "delete_objects")] = [{"Delete": {"Objects": found}}]
