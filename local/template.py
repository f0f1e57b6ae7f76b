"""template.yaml as it is read, and as `sam package` would leave it, without the code."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
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
    code = upload(_stub("EMPTY", "the code is on PYTHONPATH"))
    layer = upload(_stub("python/EMPTY", "the packages come from .venv"))
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


def _stub(name: str, says: str) -> bytes:
    """A package with nothing in it but a word on where the emulator's functions find the rest."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), f"{says}\n")
    return buffer.getvalue()
