"""template.yaml as it is read, and as `sam package` would leave it."""

import io
import py_compile
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from py_compile import PycInvalidationMode
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from local.settings import PROJECT

Template = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms: !Ref X is {Ref: X}, !Sub X is {Fn::Sub: X}."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)  # noqa: S101 (YAML has no fourth kind)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
# "2010-09-09" is a version, not a date.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)


def load_template() -> Template:
    template: Template = load_yaml(PROJECT / "template.yaml")
    return template


def packaged(template: Template, upload: Callable[[bytes], str]) -> Template:
    """The template with every local path replaced by what `upload` made of it.

    upload   bytes of a zip → its s3:// address
    """
    code = upload(zipped(PROJECT / "functions"))
    layer = upload(_stub_layer())
    template["Globals"]["Function"]["CodeUri"] = code
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::Serverless::LayerVersion":
                properties["ContentUri"] = layer
            case "AWS::Serverless::Api":
                properties["DefinitionBody"] = _included(properties["DefinitionBody"])
    return template


def _included(body: dict[str, Any]) -> Any:
    match body:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": location}}}:
            return load_yaml(PROJECT / location)
        case _:
            return body


def zipped(folder: Path) -> bytes:
    """The folder's sources and their bytecode as a zip, the same bytes for the same sources.

    Each function has a copy of its own, and would compile it anew each time that it starts.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                _add(archive, path.relative_to(folder), path.read_bytes())
                if path.suffix == ".py":
                    name = f"__pycache__/{path.stem}.{sys.implementation.cache_tag}.pyc"
                    _add(archive, path.relative_to(folder).parent / name, _bytecode(path))
    return buffer.getvalue()


def _add(archive: zipfile.ZipFile, name: Path, body: bytes) -> None:
    entry = zipfile.ZipInfo(name.as_posix())
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, body, zipfile.ZIP_DEFLATED)


def _bytecode(source: Path) -> bytes:
    """Unchecked: nobody changes a function's copy."""
    with TemporaryDirectory() as folder:
        target = Path(folder, "module.pyc")
        mode = PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(source), str(target), doraise=True, invalidation_mode=mode)
        return target.read_bytes()


def _stub_layer() -> bytes:
    """A layer with nothing in it: the functions run on this interpreter, which has the packages."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo("python/EMPTY"), "the packages come from .venv\n")
    return buffer.getvalue()
