"""scikit-learn's own examples, of the source package that the lock names; none lies here."""

import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

LOCK = Path(__file__).parents[3] / "requirements/client.txt"
# pip asks a source package's build for its name and version, which this one has written down.
BACKEND = """
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    found = Path(folder, "scikit_learn.dist-info")
    found.mkdir()
    (found / "METADATA").write_text(Path("PKG-INFO").read_text())
    return found.name
"""


def examples(folder: Path) -> Path:
    """Downloads and unpacks them; the lock's hashes say that they are the ones."""
    pinned = re.search(r"^scikit-learn==(?:.*\\\n)*.*", LOCK.read_text(), re.M)
    assert pinned
    (folder / "pinned.txt").write_text(pinned[0])
    (folder / "mesonpy.py").write_text(BACKEND)
    quietly = ["download", "-q", "--disable-pip-version-check", "-d", str(folder)]
    as_it_is = ["--no-deps", "--no-binary", "scikit-learn", "--no-build-isolation"]
    pins = ["--require-hashes", "-r", str(folder / "pinned.txt")]
    subprocess.run(
        [sys.executable, "-m", "pip", *quietly, *as_it_is, *pins],
        check=True,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    (archive,) = folder.glob("scikit_learn-*.tar.gz")
    with tarfile.open(archive) as packed:
        wanted = [name for name in packed.getnames() if "/examples/cluster/" in name]
        packed.extractall(folder, [packed.getmember(name) for name in wanted], filter="data")
    (found,) = folder.glob("*/examples/cluster")
    return found
