"""How layers are built: what is taken out of wheels, on which machines, with which tools."""

import re
from pathlib import Path

import pytest

from harness import PROJECT
from layers import build

KEPT = [
    "numpy/__init__.py",
    "numpy/linalg/lapack_lite.so",
    "scipy.libs/libopenblas.so",
    "numpy-2.5.5.dist-info/METADATA",
    "sklearn/model_selection/_search.py",
]
TAKEN_OUT = [
    "bin/f2py",
    "numpy/_pyinstaller/hook.py",
    "numpy/__init__.pyi",
    "numpy/_core/include/numpy/arrayobject.h",
    "numpy/tests/deep/tests/test_one.py",
    "numpy/random/c_distributions.pxd",
    "sklearn/datasets/__init__.py",
    "sklearn/datasets/data/iris.csv",
    "scipy/signal/__init__.py",
    "sklearn/utils/_heap.pyx",
    "sklearn/utils/_openmp.pxi.in",
    "sklearn/conftest.py",
    "scipy/__pycache__/a.pyc",
    "scipy/meson.build",
    "numpy-2.5.5.dist-info/RECORD",
    "share/man/man1/f2py.1",
]


def test_what_only_compilers_and_tests_read_is_taken_out(tmp_path: Path) -> None:
    for name in [*KEPT, *TAKEN_OUT]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("here")
    build.trim(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == set(KEPT)


def test_bytecode_that_a_test_left_is_no_reason_to_build_layers_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HERE", tmp_path / "layers")
    monkeypatch.setattr(build, "SOURCE", tmp_path / "layers/spark/source")
    for package in build.PACKAGES:
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "module.py").touch()
    build.collect()
    collected = set_of_files(tmp_path / "layers")
    for source in [*tmp_path.rglob("*.py"), tmp_path / "layers/build.py"]:
        (source.parent / "__pycache__").mkdir(exist_ok=True)
        (source.parent / "__pycache__/module.cpython-313.pyc").touch()
    build.collect()
    assert set_of_files(tmp_path / "layers") == collected


def set_of_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_everything_in_a_layer_is_as_old_as_zip_can_say_links_too(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("here")
    (tmp_path / "link").symlink_to("folder/file")
    build.set_times(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        assert path.lstat().st_mtime == build.ZIP_EPOCH, path


@pytest.mark.parametrize(
    ("system", "machine", "wanted", "programs"),
    [
        ("Linux", "x86_64", "x86_64", ["strip", "x86_64-linux-gnu-strip", "llvm-strip"]),
        ("Linux", "x86_64", "aarch64", ["aarch64-linux-gnu-strip", "llvm-strip"]),
        ("Darwin", "arm64", "aarch64", ["aarch64-linux-gnu-strip", "llvm-strip"]),
        ("Darwin", "x86_64", "x86_64", ["x86_64-linux-gnu-strip", "llvm-strip"]),
    ],
)
def test_apples_strip_is_never_let_at_a_library_of_linux(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, wanted: str, programs: list[str]
) -> None:
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert list(build.strippers(wanted)) == programs


def test_a_machine_that_cannot_strip_says_so_and_leaves_libraries_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "library.so").write_bytes(b"\x7fELF")
    build.strip_symbols("numpy", "aarch64", tmp_path)
    assert "no aarch64-linux-gnu-strip or llvm-strip here" in capsys.readouterr().err
    assert (tmp_path / "library.so").read_bytes() == b"\x7fELF"


def test_libraries_are_stripped_but_those_that_were_patched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a program that says whom it was let at."""
    programs = tmp_path / "programs"
    programs.mkdir()
    said = tmp_path / "said"
    (programs / "llvm-strip").write_text(f'#!/bin/sh\necho "$@" >{said}\n')
    (programs / "llvm-strip").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    for name in ("numpy/a.so", "numpy.libs/b.so", "c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    build.strip_symbols("numpy", "aarch64", tmp_path)
    assert said.read_text().split() == ["--strip-unneeded", str(tmp_path / "numpy/a.so")]


def test_no_other_architecture_is_taken(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="ARCHITECTURE is riscv; it must be x86_64 or arm64"):
        build.build("numpy", "riscv", tmp_path)


def scripts_of_every_machine() -> list[Path]:
    """What a developer runs on Linux or macOS; ci/ is Debian's."""
    folders = ("layers", "local", "requirements")
    found = [path for folder in folders for path in (PROJECT / folder).glob("*.sh")]
    return [*found, PROJECT / "Makefile", PROJECT / "layers/Makefile"]


@pytest.mark.parametrize("script", scripts_of_every_machine(), ids=lambda path: path.name)
def test_scripts_use_nothing_that_only_gnus_tools_know(script: Path) -> None:
    text = re.sub(r"^\s*#.*$", "", script.read_text(), flags=re.MULTILINE)
    tools = r"(?:awk|cat|cp|cut|date|find|grep|head|join|ln|mkdir|mktemp|mv|rm|sed|sort|tail|touch)"
    assert not re.search(rf"(?<![\w./-]){tools}\s(?:[^|;&\n]*\s)?--\w", text)
    assert not re.search(r"\brealpath\b|\breadlink -f|\bsed -i|\bstat -c|\bdate -d|\bgrep -P", text)
    # bash 3.2 is what macOS has.
    assert not re.search(r"\b(?:mapfile|readarray|declare -A|coproc)\b|\$\{\w+(?:,,|\^\^)", text)
