"""Swagger UI from npm into functions/docs/swagger_ui, byte for byte: `make swagger-ui`.

The files are in git, so that nobody needs npm but who raises the version: put the new one here
with what `npm view swagger-ui-dist@VERSION dist.integrity` says, and run it.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "swagger-ui-dist"
VERSION = "5.35.0"
INTEGRITY = (
    "sha512-"
    "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="
)
LICENCE = "Apache-2.0"
FILES = (
    "swagger-ui-bundle.js",
    "swagger-ui.css",
    "LICENSE",
    "NOTICE",
    "swagger-ui-bundle.js.LICENSE.txt",
)
TARGET = Path(__file__).resolve().parent.parent / "functions" / "docs" / "swagger_ui"
MANIFEST = TARGET / "manifest.json"


def integrity_of(package: bytes) -> str:
    """As npm and browsers write it (W3C, Subresource Integrity)."""
    return "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()


def manifest(files: dict[str, bytes]) -> str:
    """What the files are and where they are from, as JSON."""
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    source = {"package": PACKAGE, "version": VERSION, "integrity": INTEGRITY, "licence": LICENCE}
    return json.dumps(source | {"sha256": digests}, indent=2) + "\n"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        package = f"{PACKAGE}@{VERSION}"
        command = ["npm", "pack", "--silent", "--pack-destination", folder, package]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own words)
        [archive] = Path(folder).iterdir()
        if (found := integrity_of(archive.read_bytes())) != INTEGRITY:
            sys.exit(f"{package} has the digest {found}; {INTEGRITY} was expected")
        with tarfile.open(archive) as opened:
            files = {name: _content(opened, name) for name in FILES}
    TARGET.mkdir(exist_ok=True)
    for name, content in files.items():
        (TARGET / name).write_bytes(content)
    MANIFEST.write_text(manifest(files))


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        sys.exit(f"{PACKAGE} has no file {name}")
    return member.read()


if __name__ == "__main__":
    main()
