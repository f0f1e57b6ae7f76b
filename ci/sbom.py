"""A CycloneDX SBOM of what is deployed: the project, and every package of its functions and layers.

Usage: .venv-sbom/bin/python ci/sbom.py PYTHON FILE

PYTHON is an environment with these packages installed, which knows their licences and what they
need; versions and digests come from the locks. The same locks make the same file.
"""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = [
    PROJECT / folder / "requirements.txt"
    for folder in ("functions", "layers/numpy", "layers/sklearn", "layers/formats", "layers/spark")
]
VENDORED = [PROJECT / f"functions/docs/{name}/manifest.json" for name in ("lit_html", "swagger_ui")]
VERSION = SchemaVersion.V1_6
Sbom = dict[str, Any]


def main(python: str, file: str) -> None:
    locked = _cyclonedx("requirements", "-", given="".join(lock.read_text() for lock in LOCKS))
    sbom = described(locked, _cyclonedx("environment", python), _project_version())
    text = json.dumps(sbom, indent=2) + "\n"
    if (wrong := JsonStrictValidator(VERSION).validate_str(text)) is not None:
        raise SystemExit(f"The SBOM breaks its schema: {wrong}")
    Path(file).write_text(text)
    print(f"Wrote {file}: {len(sbom['components'])} packages")


def described(locked: Sbom, installed: Sbom, project_version: str) -> Sbom:
    """What is locked, with the licences and dependencies of what is installed."""
    known = {_name(component): component for component in installed["components"]}
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in installed["dependencies"]}
    names = {component["bom-ref"]: _name(component) for component in installed["components"]}
    deployed = {_name(component): component for component in locked["components"]}
    root = locked["metadata"]["component"] | {"version": project_version}
    dependencies = [{"ref": root["bom-ref"], "dependsOn": sorted(map(_purl, deployed.values()))}]
    for name, component in deployed.items():
        found = known.get(name)
        if found is None or found["version"] != component["version"]:
            raise SystemExit(f"{name}=={component['version']} is deployed, but not installed here")
        component |= {"bom-ref": _purl(component)} | {
            part: found[part] for part in ("description", "licenses") if part in found
        }
        wanted = [names[ref] for ref in needs.get(found["bom-ref"], [])]
        inner = sorted(_purl(deployed[other]) for other in wanted if other in deployed)
        dependencies.append({"ref": _purl(component), "dependsOn": inner})
    vendored = [_vendored(json.loads(manifest.read_text())) for manifest in VENDORED]
    dependencies += [{"ref": component["bom-ref"], "dependsOn": []} for component in vendored]
    metadata = locked["metadata"] | {"component": root}
    components = [*deployed.values(), *vendored]  # each once, in however many layers it is
    return locked | {"metadata": metadata, "components": components, "dependencies": dependencies}


def _vendored(source: Sbom) -> Sbom:
    """A package of npm's whose files lie in the repository."""
    purl = f"pkg:npm/{source['package']}@{source['version']}"
    algorithm, _, digest = source["integrity"].partition("-")
    return {
        "type": "library",
        "name": source["package"],
        "version": source["version"],
        "purl": purl,
        "bom-ref": purl,
        "licenses": [{"license": {"id": source["licence"]}}],
        "hashes": [
            {"alg": algorithm.upper().replace("SHA", "SHA-"), "content": _hexadecimal(digest)}
        ],
    }


def _hexadecimal(digest: str) -> str:
    return base64.b64decode(digest).hex()


def _cyclonedx(source: str, what: str, given: str | None = None) -> Sbom:
    """Not held to its schema: what is written is, which has 21 addresses, where these have 505.

    The grammar of addresses takes 50 ms for each.
    """
    options = ["--pyproject", str(PROJECT / "pyproject.toml"), "--output-reproducible"]
    options += ["--spec-version", VERSION.to_version(), "--no-validate"]
    made = subprocess.run(  # noqa: S603 (our own words)
        [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", source, *options, what],
        input=given,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        raise SystemExit(made.stderr)
    read: Sbom = json.loads(made.stdout)
    return read


def _name(component: Sbom) -> str:
    """As PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", component["name"]).lower()


def _purl(component: Sbom) -> str:
    return f"pkg:pypi/{_name(component)}@{component['version']}"


def _project_version() -> str:
    text = (PROJECT / "functions/kmeans_service/__init__.py").read_text()
    found = re.search(r'__version__ = "(.+)"', text)
    if not found:
        raise SystemExit("kmeans_service has no __version__")
    return found[1]


if __name__ == "__main__":
    main(*sys.argv[1:])
