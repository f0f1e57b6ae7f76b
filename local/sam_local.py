"""`sam local` on the S3, DynamoDB and SQS of the running `make run`.

    python -m local.sam_local start-api    (or nothing, or its options)
    python -m local.sam_local invoke FitWorkerFunction --event events/s3_put.json

The functions' containers get a Docker network of their own. On its gateway address, which only
they and this machine reach, a relay leads to the emulator, which itself stays on loopback. At the
end everything in that network is removed: SAM leaves a container behind now and then.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import exports, settings
from local.deployment import client

SAM = settings.PROJECT / ".venv-sam/bin/sam"
BUILT_TEMPLATE = settings.PROJECT / ".aws-sam/build/template.yaml"
ENVIRONMENT_OF_OUTPUT = {
    "DataBucketName": "DATA_BUCKET",
    "JobsTableName": "JOBS_TABLE",
    "FitQueueUrl": "FIT_QUEUE_URL",
}
# SAM runs no authorizer whose definition is conditional, so the functions are told of the owner;
# in their environment too, where it does not resolve conditions.
OPEN = ("Access=OPEN", f"DefaultOwner={settings.OWNER}")
OPEN_VARIABLES = {"ACCESS": "OPEN", "DEFAULT_OWNER": settings.OWNER}
FIXED_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": settings.REGION,
    "SAM_CLI_TELEMETRY": "0",
}
type Stack = dict[str, Any]  # as CloudFormation describes it


class CannotServe(Exception):
    """Something that `sam local` needs is missing; the message is the sentence the user sees."""


def running_stack(chosen: settings.Settings) -> Stack:
    try:
        stacks = client("cloudformation", chosen).describe_stacks(StackName=settings.STACK_NAME)
    except (BotoCoreError, ClientError) as error:
        raise CannotServe(
            f"Nothing answers at {chosen.endpoint}: start `make run` in another terminal first."
        ) from error
    stack: Stack = stacks["Stacks"][0]
    return stack


def names_in(stack: Stack) -> dict[str, str]:
    """Bucket, table and queue, under their names in the functions' environment."""
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}
    return {name: outputs[output] for output, name in ENVIRONMENT_OF_OUTPUT.items()}


def limits_in(stack: Stack) -> list[str]:
    """The service's limits, which hold here too: requests are counted in the same table."""
    chosen = {entry["ParameterKey"]: entry["ParameterValue"] for entry in stack["Parameters"]}
    return [f"{name}={value}" for name, value in chosen.items() if name.startswith("Max")]


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextlib.contextmanager
def network() -> Iterator[tuple[str, str]]:
    """A Docker network for as long as it is used: its name and its gateway's address."""
    name = f"kmeans-sam-local-{os.getpid()}"
    docker("network", "create", name)
    try:
        gateway = docker(
            "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", name
        )
        yield name, gateway
    finally:
        if containers := docker("ps", "--all", "--quiet", "--filter", f"network={name}").split():
            docker("rm", "--force", *containers)
        docker("network", "rm", name)


@contextlib.asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[None]:
    """Leads every connection to `host:port` on to the same port on loopback."""

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            upstream = await asyncio.open_connection(settings.LOOPBACK, port)
            await asyncio.gather(forward(reader, upstream[1]), forward(upstream[0], writer))

    server = await asyncio.start_server(accept, host, port)
    try:
        yield
    finally:
        server.close()


async def sam_local(chosen: settings.Settings, command: str, *options: str) -> int:
    """Runs a command of `sam local` until it ends or is told to; answers its exit status."""
    chosen = exports.settings_of_running(chosen)
    stack = running_stack(chosen)
    with network() as (name, gateway), tempfile.TemporaryDirectory() as folder:
        async with relay(gateway, chosen.emulator_port):
            endpoint = f"http://{gateway}:{chosen.emulator_port}"
            variables = Path(folder) / "environment.json"
            variables.write_text(
                json.dumps(
                    {
                        "Parameters": {
                            **names_in(stack),
                            "AWS_ENDPOINT_URL": endpoint,
                            **OPEN_VARIABLES,
                        }
                    }
                )
            )
            sam = await asyncio.create_subprocess_exec(
                *(str(SAM), "local", command, *options),
                *("--env-vars", str(variables), "--docker-network", name),
                # The variable exists in the functions only if the parameter is given.
                *("--parameter-overrides", f"AwsEndpointUrl={endpoint}", *OPEN, *limits_in(stack)),
                cwd=settings.PROJECT,
                env=os.environ | FIXED_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C comes here alone, and is handed on once
            )
            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, terminate, sam)
            return await sam.wait()


def terminate(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()


def check_requirements() -> None:
    if not SAM.exists():
        raise CannotServe("The SAM CLI is not installed: `make build` installs it and builds.")
    if not BUILT_TEMPLATE.exists():
        raise CannotServe("There is nothing built yet: `make build` first.")
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        raise CannotServe(
            "No Docker daemon answers: start yours, or run ci/start-docker.sh as root."
        )


def main() -> None:
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        arguments.insert(0, "start-api")
    try:
        check_requirements()
        status = asyncio.run(sam_local(settings.from_environment(), *arguments))
    except (CannotServe, settings.StartRefused) as error:
        sys.exit(str(error))
    sys.exit(status)


if __name__ == "__main__":
    main()
