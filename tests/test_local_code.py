"""What the functions of `make run` are made of."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from harness import PROJECT
from local.template import zipped


def test_each_module_has_its_bytecode_which_python_takes_unread(tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some/module.py").write_text("print('from the source')\n")
    with zipfile.ZipFile(io.BytesIO(zipped(tmp_path))) as archive:
        archive.extractall(tmp_path / "copy")
    module = tmp_path / "copy/some/module.py"
    module.write_text("print('compiled anew')\n")
    told = subprocess.run(
        [sys.executable, "-c", "import some.module"],
        cwd=module.parents[1],
        env=os.environ | {"PYTHONPYCACHEPREFIX": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "from the source\n"


def test_the_same_sources_are_the_same_bytes_whatever_python_drew() -> None:
    """Or every start of the service would deploy its functions anew."""
    script = (
        "import hashlib, pathlib, local.template as t;"
        "print(hashlib.sha256(t.zipped(pathlib.Path('functions').resolve())).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=PROJECT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1
