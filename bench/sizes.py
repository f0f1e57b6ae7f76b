"""What each function weighs unzipped, code and layers, as `make build` left it."""

from pathlib import Path

from bench.measure import ROOT

BUILD = ROOT / ".aws-sam" / "build"
FUNCTIONS = {
    "fit": ("FitFunction", "ReaderLayer", "NumpyLayer", "SklearnLayer"),
    "predict": ("PredictFunction", "ReaderLayer", "NumpyLayer"),
    "upload": ("UploadFunction", "ReaderLayer"),
}


def megabytes() -> dict[str, float]:
    """By function; empty where nothing has been built."""
    if not BUILD.is_dir():
        return {}
    return {
        name: sum(_size(BUILD / part) for part in parts) / 1e6 for name, parts in FUNCTIONS.items()
    }


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
