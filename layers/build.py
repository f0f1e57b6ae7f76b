"""Builds one layer: python3.13 build.py LAYER ARCHITECTURE TARGET

LAYER         folder with a hashed requirements.txt, with C of our own, or with both
ARCHITECTURE  x86_64 or arm64, as Lambda spells it; any machine builds either, Linux or macOS
TARGET        folder that becomes the layer

The same lock file gives the same bytes. Only the standard library is used, for nothing else is
there when `sam build` calls this.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "3.13"
# What compile.sh makes of the C in a layer's folder.
LIBRARIES = {"reader": "csv_numbers", "numpy": "kmeans"}
SITE_PACKAGES = f"python/lib/python{PYTHON}/site-packages"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Amazon Linux 2023 has glibc 2.34. pip takes these tags literally, so each is named.
TAGS = (*(f"manylinux_2_{minor}" for minor in (34, 28, 27, 26, 24, 17)), "manylinux2014")

# Nobody freezes an executable or loads a toy data set in Lambda.
UNUSED = (
    *("bin", "share", "numpy/_pyinstaller", "joblib/test"),
    *(f"sklearn/datasets/{name}" for name in ("data", "descr", "images")),
)
UNUSED_FOLDERS = ("tests", "include", "__pycache__")
# What serves compilers only, and RECORD, which lists what is gone now.
UNUSED_FILES = (
    *("*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.pxi.in", "*.tp", "*.[chafo]", "*.cpp"),
    *("meson.build", "conftest.py", "RECORD"),
)
ZIP_EPOCH = 315532800  # 1980, where zip's time begins


def build(layer: str, architecture: str, target: Path) -> None:
    if architecture not in MACHINES:
        raise SystemExit(f"ARCHITECTURE is {architecture}; it must be x86_64 or arm64")
    machine, site_packages = MACHINES[architecture], target / SITE_PACKAGES
    site_packages.mkdir(parents=True, exist_ok=True)
    if (HERE / layer / "requirements.txt").exists():
        install_wheels(HERE / layer / "requirements.txt", machine, site_packages)
    trim(site_packages)
    strip_symbols(layer, machine, site_packages)
    if layer in LIBRARIES:
        compiler = ("bash", HERE / "compile.sh", sys.executable, f"{machine}-linux")
        subprocess.run([*compiler, site_packages, LIBRARIES[layer]], check=True)
    compile_bytecode(target)
    set_times(target)


def install_wheels(requirements: Path, machine: str, site_packages: Path) -> None:
    """Those for Lambda, whatever this machine is."""
    platforms = [option for tag in TAGS for option in ("--platform", f"{tag}_{machine}")]
    options = (
        *("--quiet", "--disable-pip-version-check", "--no-warn-conflicts", "--no-deps"),
        *("--require-hashes", "--only-binary=:all:", "--no-compile", "--implementation", "cp"),
        *("--python-version", PYTHON, *platforms),
    )
    pip = (sys.executable, "-m", "pip", "install")
    subprocess.run([*pip, *options, "--target", site_packages, "-r", requirements], check=True)


def trim(site_packages: Path) -> None:
    for name in UNUSED:
        shutil.rmtree(site_packages / name, ignore_errors=True)
    for path in list(site_packages.rglob("*")):
        if path.is_dir() and path.name in UNUSED_FOLDERS:
            shutil.rmtree(path, ignore_errors=True)  # perhaps gone with the one that it lay in
        elif any(fnmatch(path.name, pattern) for pattern in UNUSED_FILES):
            path.unlink(missing_ok=True)


def strip_symbols(layer: str, machine: str, site_packages: Path) -> None:
    """Not of libraries in *.libs/: they were patched, and no longer load when they are stripped."""
    strip = next(filter(None, map(shutil.which, strippers(machine))), None)
    if strip is None:
        named = " or ".join(strippers(machine))
        print(f"layer {layer}: no {named} here, so its symbols stay in", file=sys.stderr)
        return
    libraries = [
        path
        for path in sorted(site_packages.rglob("*.so"))
        if not any(parent.name.endswith(".libs") for parent in path.parents)
    ]
    if libraries:
        subprocess.run([strip, "--strip-unneeded", *libraries], check=True)


def strippers(machine: str) -> Iterator[str]:
    """Programs that may be here and know Linux's libraries: Apple's `strip` knows its own only."""
    if (platform.system(), platform.machine()) == ("Linux", machine):
        yield "strip"
    yield f"{machine}-linux-gnu-strip"
    yield "llvm-strip"


def compile_bytecode(target: Path) -> None:
    """Lambda's file system is read-only: without bytecode each cold start compiles all of it again.

    Unchecked, because the zip's times say nothing; and paths as they will be in Lambda.
    """
    compileall = (sys.executable, "-m", "compileall", "-q", "-j", "0")
    options = ("--invalidation-mode", "unchecked-hash", "-s", target, "-p", "/opt")
    subprocess.run([*compileall, *options, target / SITE_PACKAGES], check=True)


def set_times(target: Path) -> None:
    for path in (target, *target.rglob("*")):
        os.utime(path, (ZIP_EPOCH, ZIP_EPOCH), follow_symlinks=False)


if __name__ == "__main__":
    _, layer, architecture, folder = sys.argv
    build(layer, architecture, Path(folder).resolve())
