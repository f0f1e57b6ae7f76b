"""`make bench` works; what it measures is for people to read."""

import subprocess
from pathlib import Path

import pytest

from bench import measure
from harness import PROJECT

pytestmark = pytest.mark.services

TITLES = (
    "Goals",
    "Cold start",
    "CSV",
    "CSV → array by notation",
    "Tables",
    "Fit alone",
    "Iteration out of core",
    "End to end",
    "Cost",
    "Memory of FitFunction",
    "Peak memory",
    "float32",
    "Parallel predicts over HTTP",
    "The web page",
)


def test_imports_are_measured_with_bytecode_even_where_python_is_told_to_write_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert measure.script("imports", "import sys; assert not sys.dont_write_bytecode")["cpu"] > 0


def test_the_benchmark_runs_beside_the_original_and_writes_its_report(tmp_path: Path) -> None:
    report = tmp_path / "benchmarks.md"
    run = subprocess.run(
        ["make", "bench", "BENCH=small", f"REPORT={report}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    titles = [line for line in report.read_text().splitlines() if line.startswith("## ")]
    assert titles == [f"## {title}" for title in TITLES]
