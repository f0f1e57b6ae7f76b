"""Builds one layer: python3.13 build.py LAYER ARCHITECTURE TARGET; or: build.py collect|compile

LAYER         folder with a hashed requirements.txt, with C of our own, or with both; spark is an
              archive for a cluster, carried by a layer of who starts it
ARCHITECTURE  x86_64 or arm64, as Lambda spells it; any machine builds either, Linux or macOS
TARGET        folder that becomes the layer

The same lock file gives the same bytes. Only the standard library is used, for nothing else is
there when `sam build` calls this.
"""

import gzip
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = "3.13"
# What compile.sh makes of the C in a layer's folder.
LIBRARIES = {
    "reader": ("csv_numbers",),
    "numpy": ("kmeans",),
    "spark": ("csv_numbers", "kmeans"),
}
SITE_PACKAGES = f"python/lib/python{PYTHON}/site-packages"
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Amazon Linux 2023 has glibc 2.34. pip takes these tags literally, so each is named.
TAGS = (*(f"manylinux_2_{minor}" for minor in (34, 28, 27, 26, 24, 17)), "manylinux2014")

# Nobody freezes an executable, loads a toy data set or filters signals in Lambda; nothing else of
# scikit-learn imports these.
UNUSED = (
    *("bin", "share", "numpy/_pyinstaller", "joblib/test", "sklearn/datasets"),
    *(f"scipy/{name}" for name in ("io", "odr", "signal")),
)
UNUSED_FOLDERS = ("tests", "include", "__pycache__")
# What serves compilers only, and RECORD, which lists what is gone now.
UNUSED_FILES = (
    *("*.pyi", "*.pyx", "*.pxd", "*.pxi", "*.pxi.in", "*.tp", "*.[chafo]", "*.cpp"),
    *("meson.build", "conftest.py", "RECORD"),
)
ZIP_EPOCH = 315532800  # 1980, where zip's time begins

# Ours; a run imports them from the archive's root.
PACKAGES = ("functions/kmeans_service", "functions/convert", "distributed")
SOURCE = HERE / "spark/source"
BUILT = HERE.parent / ".aws-sam/build"
ARCHIVE, RUN, SUBMIT = "engine.tar.gz", "run.py", "submit.txt"
# Of all services that boto3 knows, those that a run speaks to, or is known to by.
SERVICES = ("s3", "sts")


def build(layer: str, architecture: str, target: Path) -> None:
    if architecture not in MACHINES:
        raise SystemExit(f"ARCHITECTURE is {architecture}; it must be x86_64 or arm64")
    if layer == "spark":
        with tempfile.TemporaryDirectory() as root:
            fill(layer, MACHINES[architecture], Path(root))
            add_modules(Path(root))
            trim_services(Path(root))
            pack(Path(root), target / "spark", ZIP_EPOCH)
    else:
        fill(layer, MACHINES[architecture], target / SITE_PACKAGES)
        compile_bytecode(target / SITE_PACKAGES, f"/opt/{SITE_PACKAGES}")
    set_times(target)


def fill(layer: str, machine: str, site_packages: Path) -> None:
    """With wheels and with what is compiled of ours."""
    site_packages.mkdir(parents=True, exist_ok=True)
    if (HERE / layer / "requirements.txt").exists():
        install_wheels(HERE / layer / "requirements.txt", machine, site_packages)
    trim(site_packages)
    strip_symbols(layer, machine, site_packages)
    if layer in LIBRARIES:
        compiler = ("bash", HERE / "compile.sh", sys.executable, f"{machine}-linux")
        subprocess.run([*compiler, site_packages, *LIBRARIES[layer]], check=True)


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


def compile_bytecode(folder: Path, in_lambda: str) -> None:
    """Lambda's file system is read-only: without bytecode each cold start compiles all of it again.

    Unchecked, because the zip's times say nothing; and paths as they will be in Lambda.
    """
    compileall = (sys.executable, "-m", "compileall", "-q", "-j", "0")
    options = ("--invalidation-mode", "unchecked-hash", "-s", folder, "-p", in_lambda)
    subprocess.run([*compileall, *options, folder], check=True)


def set_times(target: Path) -> None:
    for path in (target, *target.rglob("*")):
        os.utime(path, (ZIP_EPOCH, ZIP_EPOCH), follow_symlinks=False)


def collect() -> None:
    """Our modules as they are now: what is built of them is built anew when they have changed.

    SAM looks at every file of this folder: bytecode, which any test may leave, would be a change.
    """
    shutil.rmtree(HERE / "__pycache__", ignore_errors=True)
    shutil.rmtree(SOURCE, ignore_errors=True)
    for package in PACKAGES:
        of = HERE.parent / package
        caches = shutil.ignore_patterns("__pycache__")
        shutil.copytree(of, SOURCE / of.name, ignore=caches)


def compile_functions() -> None:
    """What `sam build` left of each, which it does not compile."""
    for folder in BUILT.glob("*Function"):
        compile_bytecode(folder, "/var/task")


def add_modules(root: Path) -> None:
    if not SOURCE.exists():
        raise SystemExit("layers/spark/source is missing: `make build` collects it first")
    shutil.copytree(SOURCE, root, dirs_exist_ok=True)


def trim_services(root: Path) -> None:
    for folder in (root / "botocore/data", root / "boto3/data"):
        for path in folder.iterdir():
            if path.is_dir() and path.name not in SERVICES:
                shutil.rmtree(path)


def pack(root: Path, target: Path, time: int) -> None:
    """The same bytes for the same files."""
    target.mkdir(parents=True, exist_ok=True)
    with (
        (target / ARCHIVE).open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=time) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path in sorted(root.rglob("*")):
            if path.is_dir():
                continue
            entry = tarfile.TarInfo(str(path.relative_to(root)))
            entry.size, entry.mtime, entry.mode = path.stat().st_size, time, 0o644
            with path.open("rb") as content:
                archive.addfile(entry, content)
    shutil.copy(SOURCE / "distributed/run.py", target / RUN)
    shutil.copy(HERE / "spark" / SUBMIT, target / SUBMIT)


if __name__ == "__main__":
    if sys.argv[1:] == ["collect"]:
        collect()
    elif sys.argv[1:] == ["compile"]:
        compile_functions()
    else:
        _, layer, architecture, folder = sys.argv
        build(layer, architecture, Path(folder).resolve())
