"""`make empty`: asks twice, then nothing is left of a bucket with versions; S3 then deletes it."""

import io
from typing import Any

import pytest

from harness.fake_aws.environment import BUCKET
from harness.system import put
from local import empty

STACK = "kmeans-to-go"
TEMPLATE = """
Resources: {Queue: {Type: "AWS::SQS::Queue"}}
Outputs: {DataBucketName: {Value: %s}}
"""


@pytest.fixture
def s3(aws: Any) -> Any:
    import boto3

    template = TEMPLATE % BUCKET
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=template)
    return aws.s3()


def fill(s3: Any, times: int) -> None:
    """So many versions, ten of an object, the first object deleted; and one under another key."""
    for number in range(times):
        put(f"inputs/alice/{number // 10}.csv", str(number).encode())
    s3.delete_object(Bucket=BUCKET, Key="inputs/alice/0.csv")
    put("models/alice/0/f/1/labels.csv", b"0\n")


def answering(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.mark.thorough
def test_two_right_answers_remove_every_version_and_marker_and_the_bucket_can_go(
    s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(s3, 3)
    answering(monkeypatch, STACK, "remove")
    assert empty.main(["--stack", STACK]) == 0
    said = capsys.readouterr().err
    assert BUCKET in said
    assert "4 versions of objects (5 bytes) and 1 markers" in said
    assert "Removed 5; it is empty." in said
    s3.delete_bucket(Bucket=BUCKET)


@pytest.mark.thorough
def test_more_than_a_batch_is_removed_in_several(s3: Any) -> None:
    fill(s3, 1005)
    assert empty.empty(s3, BUCKET) == 1007
    assert empty.content(s3, BUCKET) == empty.Content()


@pytest.mark.parametrize(
    ("answers", "options"),
    [
        (["no"], []),
        ([], []),
        ([STACK, "yes"], []),
        ([STACK], []),
        (["no"], ["--yes"]),
        ([BUCKET, "remove"], []),
    ],
)
def test_anything_else_removes_nothing(
    s3: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: list[str],
    options: list[str],
) -> None:
    fill(s3, 1)
    answering(monkeypatch, *answers)
    assert empty.main(["--stack", STACK, *options]) == 1
    assert "othing was removed" in capsys.readouterr().err
    assert empty.content(s3, BUCKET).versions == 2


def test_two_yes_ask_nothing_and_a_bucket_can_be_named_itself(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(s3, 1)
    answering(monkeypatch)
    assert empty.main(["--bucket", BUCKET, "--yes", "--yes"]) == 0
    assert empty.content(s3, BUCKET) == empty.Content()


def test_an_empty_bucket_is_told_of_and_nothing_is_asked(
    s3: Any,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answering(monkeypatch)
    assert empty.main(["--stack", STACK]) == 0
    assert "It is empty." in capsys.readouterr().err


def test_what_s3_refuses_to_remove_is_named_and_ends_it(s3: Any) -> None:
    fill(s3, 1)

    def refuse_one(parsed: Any, **_: Any) -> None:
        parsed["Errors"] = [{"Key": "a.csv", "Code": "AccessDenied", "Message": "Access Denied"}]

    s3.meta.events.register("after-call.s3.DeleteObjects", refuse_one)
    try:
        with pytest.raises(empty.Refused, match=r"refused 1, first a\.csv \(AccessDenied: "):
            empty.empty(s3, BUCKET)
    finally:
        s3.meta.events.unregister("after-call.s3.DeleteObjects", refuse_one)


def test_a_stack_that_is_none_or_names_no_bucket_is_refused(
    s3: Any,  # noqa: ARG001
    capsys: pytest.CaptureFixture[str],
) -> None:
    import boto3

    bare = TEMPLATE.replace("DataBucketName", "Other") % BUCKET
    boto3.client("cloudformation").create_stack(StackName="bare", TemplateBody=bare)
    assert empty.main(["--stack", "bare"]) == 1
    assert "names no bucket" in capsys.readouterr().err
    assert empty.main(["--stack", "absent"]) == 1
    assert "The stack absent cannot be read" in capsys.readouterr().err
