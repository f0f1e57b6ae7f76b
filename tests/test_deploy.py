"""`make deploy`: parameters reach SAM as they were written; what SAM would overlook is refused."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import PROJECT
from harness.template.sam import SAM, environment, installed
from local import deploy

AS_SAM_READS_THEM = """
import json, sys
from samcli.cli.types import CfnParameterOverridesType
print(json.dumps(CfnParameterOverridesType().convert(tuple(sys.argv[1:]), None, None)))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """In the place of SAM: it prints how it was called."""
    made = tmp_path / "sam"
    made.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    made.chmod(0o755)
    return made


def deployed_with(
    program: Path, parameters: str, *options: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.deploy", program, *options],
        cwd=PROJECT,
        env=environment() | {"PARAMETERS": parameters, "ARCHITECTURE": "arm64"},
        capture_output=True,
        text=True,
    )


def test_values_with_brackets_spaces_and_quotes_arrive_as_they_are() -> None:
    installed()
    given = {
        "SweepSchedule": "rate(10 minutes)",
        "KmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/0b1a-22",
        "Quoted": 'a "b" $c',
        "AlarmTopicArn": "",
        "MaxJobs": "500",
    }
    read = subprocess.run(
        [SAM.with_name("python"), "-c", AS_SAM_READS_THEM, *deploy.overrides(given)],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(read.stdout) == given


def test_make_hands_them_on_unharmed(program: Path) -> None:
    parameters = 'SweepSchedule="rate(10 minutes)" MaxJobs=500 DefaultOwner=$HOME'
    makefile = (PROJECT / "Makefile").read_text()
    assert "$(PARAMETERS)" not in makefile  # the shell would take brackets for its own
    assert re.search(r"^export .*\bPARAMETERS\b", makefile, re.M)
    run = deployed_with(program, parameters, "--stack-name", "other")
    assert json.loads(run.stdout) == [
        "deploy",
        *("--stack-name", "other", "--parameter-overrides"),
        *('Architecture="arm64"', 'SweepSchedule="rate(10 minutes)"'),
        *('MaxJobs="500"', 'DefaultOwner="$HOME"'),
    ]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("MaxJob=5", "template.yaml has no parameter MaxJob"),
        ("MaxJobs=many", "MaxJobs=many should be a whole number"),
        ("WorkerMemory=10241", "WorkerMemory=10241 should be a whole number from 512 to 10240"),
        ("SweepSchedule=rate(10 minutes)", "it should be Name=value"),
        ("Architecture=x86_64", "built for arm64; say make deploy ARCHITECTURE=x86_64"),
    ],
)
def test_what_is_no_parameter_is_refused_before_anything_is_sent(
    program: Path, parameters: str, said: str
) -> None:
    run = deployed_with(program, parameters)
    assert (run.returncode, run.stdout) == (1, "")
    assert said in run.stderr


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("ACCESS", "IAM", "Access"),
        ("WORKER_TIMEOUT", "600", "WorkerTimeout"),
        ("FIT_CONCURRENCY", "4", "WorkerConcurrency"),
        ("MaxJobs", "500", "MaxJobs"),
    ],
)
def test_what_stands_beside_parameters_is_refused_with_what_to_say(
    program: Path, name: str, value: str, meant: str
) -> None:
    """make exports it, and SAM would never hear of it."""
    run = subprocess.run(
        [sys.executable, "-m", "local.deploy", program],
        cwd=PROJECT,
        env=environment() | {name: value},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert f"PARAMETERS='{meant}={value}'" in run.stderr
