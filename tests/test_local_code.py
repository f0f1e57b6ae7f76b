"""What the functions of `make run` run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.code import CodeError, laid_out


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "functions/some").mkdir(parents=True)
    module(tmp_path / "functions").write_text("print('as it was')\n")
    return tmp_path / "functions"


def module(folder: Path) -> Path:
    return folder / "some/module.py"


def said_by(folder: Path) -> str:
    told = subprocess.run(
        [sys.executable, "-c", "import some.module"],
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONPYCACHEPREFIX": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout


def test_functions_run_the_code_as_it_was_at_the_start(source: Path, tmp_path: Path) -> None:
    copy = laid_out(tmp_path / "code", source)
    module(source).write_text("print('edited')\n")
    assert said_by(copy) == "as it was\n"


def test_each_module_has_its_bytecode_which_python_takes_unread(
    source: Path, tmp_path: Path
) -> None:
    copy = laid_out(tmp_path / "code", source)
    module(copy).write_text("print('compiled anew')\n")
    assert said_by(copy) == "as it was\n"


def test_an_edit_is_another_copy_and_the_one_before_is_gone(source: Path, tmp_path: Path) -> None:
    before = laid_out(tmp_path / "code", source)
    assert laid_out(tmp_path / "code", source) == before  # nothing is deployed anew
    module(source).write_text("print('edited')\n")
    after = laid_out(tmp_path / "code", source)
    assert said_by(after) == "edited\n"
    assert list((tmp_path / "code").iterdir()) == [after]


def test_a_copy_that_was_not_finished_is_made_anew(source: Path, tmp_path: Path) -> None:
    (tmp_path / "code/unfinished/some").mkdir(parents=True)
    assert said_by(laid_out(tmp_path / "code", source)) == "as it was\n"


def test_code_that_does_not_compile_is_refused(
    source: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    module(source).write_text("def (:\n")
    with pytest.raises(CodeError):
        laid_out(tmp_path / "code", source)
    assert "module.py" in capfd.readouterr().out
    assert not any(path.name != "unfinished" for path in (tmp_path / "code").iterdir())
