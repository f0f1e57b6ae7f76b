"""The template as the tools of AWS judge it, before and after the SAM transform."""

import copy
import json
import subprocess
import sys
from pathlib import Path

from harness import PROJECT
from harness.template.reading import transformed
from harness.template.sam import SAM, build, environment


def test_sam_finds_nothing_to_say_about_the_source() -> None:
    build()  # brings the SAM CLI, if it is not there yet
    said = subprocess.run(
        [SAM, "validate", "--lint"], cwd=PROJECT, env=environment(), capture_output=True, text=True
    )
    assert said.returncode == 0, said.stdout + said.stderr


def test_cfn_lint_finds_nothing_to_say_about_the_transformed_template(tmp_path: Path) -> None:
    path = tmp_path / "transformed.json"
    path.write_text(json.dumps(transformed()))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([cfn_lint, path], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout


def test_the_lint_of_the_transformed_template_sees_a_circle(tmp_path: Path) -> None:
    """That test is worth something only if it fails where it should."""
    circular = copy.deepcopy(transformed())
    circular["Resources"]["DataBucket"]["DependsOn"] = "UploadFunction"
    path = tmp_path / "circular.json"
    path.write_text(json.dumps(circular))
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    said = subprocess.run([cfn_lint, path], cwd=tmp_path, capture_output=True, text=True)
    assert "E3004" in said.stdout
