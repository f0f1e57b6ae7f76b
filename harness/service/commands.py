"""`aws`, `curl` and `make` as docs/first-deployment.md calls them, with an emulator in AWS's place.

Run under these names from a folder at the front of the PATH. `aws` makes the call that its words
name, by the operation's own model: a word that AWS does not have is an error here too. `curl` finds
the API where the emulator serves it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name

PROJECT = Path(__file__).resolve().parents[2]  # a program, which finds no package
NAMES = ("aws", "curl", "make")


def install(folder: Path) -> None:
    """Puts the three into a folder."""
    for name in NAMES:
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        (folder / name).chmod(0o755)


def aws(words: list[str]) -> int:
    service, operation, *rest = words
    if (service, operation) == ("s3", "cp"):
        source, target = rest
        bucket, _, key = target.removeprefix("s3://").partition("/")
        boto3.client("s3").upload_file(source, bucket, key)
        print(f"upload: {source} to {target}")
        return 0
    client: Any = boto3.client(service)  # type: ignore[call-overload]
    given = dict(zip(rest[::2], rest[1::2], strict=True))
    query, output = given.pop("--query"), given.pop("--output", "json")
    model = client.meta.service_model.operation_model(
        client.meta.method_to_api_mapping[xform_name(operation.replace("-", "_"))]
    )
    members = {f"--{xform_name(member, '-')}": member for member in model.input_shape.members}
    answer = getattr(client, operation.replace("-", "_"))(
        **{members[option]: value for option, value in given.items()}
    )
    found = jmespath.search(query, answer)
    if output == "text":
        print("\t".join(map(str, found)) if isinstance(found, list) else found)
    else:
        print(json.dumps(found))
    return 0


def curl(words: list[str]) -> int:
    """The emulator serves the API on an address of its own; only id and stage are AWS's."""
    served = rf"{os.environ['AWS_ENDPOINT_URL']}/restapis/\1/\2/_user_request_"
    deployed = r"https://(\w+)\.execute-api\.[\w-]+\.amazonaws\.com/(\w+)"
    return subprocess.run(
        [_real("curl"), *(re.sub(deployed, served, word) for word in words)]
    ).returncode


def make(words: list[str]) -> int:
    status = subprocess.run([_real("make"), *words], cwd=PROJECT).returncode
    if words[0] == "deploy":
        make_concurrency_a_number()
    return status


def make_concurrency_a_number() -> None:
    """CloudFormation's parameters are text; AWS turns this one into a number, MiniStack does not.

    Its poller then stumbles over the comparison and delivers nothing.
    """
    functions = boto3.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        functions.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": concurrency}
        )


def _real(name: str) -> str:
    _, *others = os.environ["PATH"].split(os.pathsep)
    found = shutil.which(name, path=os.pathsep.join(others))
    assert found, f"there is no {name}"
    return found


if __name__ == "__main__":
    sys.exit({"aws": aws, "curl": curl, "make": make}[sys.argv[1]](sys.argv[2:]))
