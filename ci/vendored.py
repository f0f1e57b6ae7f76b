"""What the pages are made of that others wrote, from npm, byte for byte: `make vendored`.

The files are in git, so that nobody needs npm but who raises a version: put the new one here with
what `npm view PACKAGE@VERSION dist.integrity` says, and run it.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "functions" / "docs"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Package:
    """Files of one version of a package, and the folder that they lie in."""

    name: str
    version: str
    integrity: str
    licence: str
    files: tuple[str, ...]
    folder: Path

    def manifest(self, files: dict[str, bytes]) -> str:
        """What the files are and where they are from, as JSON."""
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        source = {
            "package": self.name,
            "version": self.version,
            "integrity": self.integrity,
            "licence": self.licence,
        }
        return json.dumps(source | {"sha256": digests}, indent=2) + "\n"


SWAGGER_UI = Package(
    name="swagger-ui-dist",
    version="5.35.0",
    integrity=(
        "sha512-"
        "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ=="
    ),
    licence="Apache-2.0",
    files=(
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "LICENSE",
        "NOTICE",
        "swagger-ui-bundle.js.LICENSE.txt",
    ),
    folder=DOCS / "swagger_ui",
)
LIT_HTML = Package(
    name="lit-html",
    version="3.3.3",
    integrity=(
        "sha512-"
        "el8M6jK2o3RXBnrSHX3ZKrsN8zEV63pSExTO1wYJz7QndGYZ8353e2a5PPX+qHe2aGayfnchQmkAojaWAREOIA=="
    ),
    licence="BSD-3-Clause",
    files=(
        "lit-html.js",
        "directive.js",
        "directive-helpers.js",
        "directives/live.js",
        "LICENSE",
    ),
    folder=DOCS / "lit_html",
)
PACKAGES = (SWAGGER_UI, LIT_HTML)


def integrity_of(package: bytes) -> str:
    """As npm and browsers write it (W3C, Subresource Integrity)."""
    return "sha512-" + base64.b64encode(hashlib.sha512(package).digest()).decode()


def take(package: Package) -> None:
    """Write the package's files and their manifest; exits where it is another than was pinned."""
    files = _files(package)
    for name, content in files.items():
        path = package.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (package.folder / MANIFEST).write_text(package.manifest(files))


def _files(package: Package) -> dict[str, bytes]:
    asked = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, asked]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 (our own words)
        [archive] = Path(folder).iterdir()
        if (found := integrity_of(archive.read_bytes())) != package.integrity:
            sys.exit(f"{asked} has the digest {found}; {package.integrity} was expected")
        with tarfile.open(archive) as opened:
            return {name: _content(opened, name) for name in package.files}


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(f"package/{name}")
    if member is None:
        sys.exit(f"{archive.name} has no file {name}")
    return member.read()


if __name__ == "__main__":
    for package in PACKAGES:
        take(package)
