"""What a cold start loads: each handler imports what it needs and nothing else."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parent.parent / "functions"
# pybase64 is not among them: it is small, used where it is there, and only in the NumPy layer.
SCIENCE = {"numpy", "scipy", "sklearn", "joblib", "pandas"}
UNUSED = {"pydantic", "aws_xray_sdk", "requests", "yaml", "fastjsonschema", "jsonschema"}
# No network at import: whatever opens a connection or makes a client fails.
PROGRAM = """
import json, socket, sys
def refuse(*arguments, **names):
    raise RuntimeError("the network at import")
socket.socket.connect = socket.getaddrinfo = refuse
__import__(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


@cache
def imported_by(handler: str) -> frozenset[str]:
    """Top-level packages that are loaded once the module is, in an empty environment."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, handler],
        cwd=FUNCTIONS,
        env={"PYTHONPATH": str(FUNCTIONS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return frozenset(json.loads(run.stdout))


@pytest.mark.parametrize(
    "handler", ["upload.app", "jobs.app", "docs.app", "sweeper.app", "convert.app"]
)
def test_a_handler_without_layers_loads_no_numbers(handler: str) -> None:
    assert imported_by(handler) & (SCIENCE | UNUSED) == set()


@pytest.mark.parametrize(
    "handler", ["upload.app", "fit.app", "worker.app", "predict.app", "explain.app"]
)
def test_readers_of_other_formats_are_one_functions_alone(handler: str) -> None:
    assert imported_by(handler) & {"arro3", "python_calamine", "convert"} == set()


def test_predict_loads_numpy_and_no_scikit_learn() -> None:
    found = imported_by("predict.app")
    assert found & {"scipy", "sklearn", "joblib"} == set()
    assert found & UNUSED == set()
    assert "numpy" in found


@pytest.mark.parametrize("handler", ["fit.app", "worker.app"])
def test_fit_loads_numpy_and_scikit_learn_only_where_it_computes(handler: str) -> None:
    found = imported_by(handler)
    assert found & {"scipy", "sklearn", "joblib"} == set()
    assert "numpy" in found
    assert found & UNUSED == set()


def test_what_explains_loads_a_maker_when_somebody_asks() -> None:
    assert imported_by("explain.app") & (SCIENCE | UNUSED) == set()


HANDLERS = sorted(path.parent.name for path in FUNCTIONS.glob("*/app.py"))


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_signs_nothing_and_computes_with_no_arrays(handler: str) -> None:
    """It decodes, calls one thing and encodes: what lies in the bucket is answered in one place."""
    text = (FUNCTIONS / handler / "app.py").read_text()
    assert not re.search(r"presigned|\bnumpy\b|\bnp\.|MAX_INLINE_BYTES", text)


@pytest.mark.parametrize("module", ["kmeans_service.tables.table", "kmeans_service.recipes.plan"])
def test_a_table_is_read_and_planned_without_numpy(module: str) -> None:
    assert imported_by(module) & (SCIENCE | UNUSED | {"boto3", "aws_lambda_powertools"}) == set()
