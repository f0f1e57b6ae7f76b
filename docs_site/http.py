"""docs/reference/http.md, made of openapi.yaml."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from local.contract import SOURCE

HEAD = """# HTTP

<!-- Made of openapi.yaml by `make reference`: not to be changed by hand. -->

Every call, with what it takes and what it answers. `{job_id}` stands for a job's number. The
service shows the same at `/kmeans/ui/`, where it can be tried out, and answers the contract,
`openapi.yaml`, at `/kmeans/openapi.json`.

"""
# Said once, as they are the same everywhere.
COMMON = {"400", "401", "403", "404", "406", "410", "415", "429", "503"}
ANYWHERE = """Wherever they can happen, calls answer 400, 401, 403, 404, 406, 410, 415, 429 and 503,
too: [answers](answers.md#refusals) says what they mean.

"""
type Node = dict[str, Any]


def page() -> str:
    contract = yaml.safe_load(SOURCE.read_text())
    return HEAD + ANYWHERE + "".join(_Page(contract).sections())


class _Page:
    def __init__(self, contract: Node) -> None:
        self.contract = contract

    def sections(self) -> Iterator[str]:
        for tag in self.contract["tags"]:
            yield f"## {tag['description']}\n\n"
            for method, path, operation in self._operations():
                if operation["tags"] == [tag["name"]]:
                    yield from self._operation(f"{method.upper()} {path}", operation)
        yield "## Objects\n\nWhat bodies are made of.\n\n"
        for name, schema in self.contract["components"]["schemas"].items():
            if "properties" in schema:
                yield f"### {name}\n\n" + _paragraph(schema.get("description"))
                yield self._fields(schema)

    def _operations(self) -> Iterator[tuple[str, str, Node]]:
        for path, item in self.contract["paths"].items():
            for method, operation in item.items():
                yield method, path, operation

    def _operation(self, title: str, operation: Node) -> Iterator[str]:
        yield f"### {title}\n\n{operation['summary']}.\n\n"
        yield _paragraph(operation.get("description"))
        given = [self._whole(one) for one in operation.get("parameters", [])]
        if asked := [one for one in given if one["in"] != "path"]:
            lines = [
                (f"`{one['name']}`", one["in"], self._what(one["schema"], one)) for one in asked
            ]
            yield _table(("parameter", "in", ""), lines)
        for media_type, content in self._body(operation).items():
            yield f"Body, `{media_type}`: {self._shape(content['schema'])}"
            yield _example(content) or ".\n\n"
        yield _table(("status", "", "answer"), list(self._answers(operation)))

    def _body(self, operation: Node) -> Node:
        content: Node = self._whole(operation.get("requestBody", {})).get("content", {})
        return content

    def _answers(self, operation: Node) -> Iterator[tuple[str, str, str]]:
        for status, response in sorted(operation["responses"].items()):
            if status in COMMON:
                continue
            whole = self._whole(response)
            shapes = (
                self._shape(content["schema"]) if "json" in media_type else f"`{media_type}`"
                for media_type, content in whole.get("content", {}).items()
            )
            yield status, _line(whole["description"]), ", ".join(dict.fromkeys(shapes))

    def _fields(self, schema: Node) -> str:
        required = schema.get("required", [])
        lines = [
            (f"`{name}`" + (" *" if name in required else ""), self._what(field, field))
            for name, field in schema["properties"].items()
        ]
        starred = "Fields with * are always there.\n\n" if required else ""
        return starred + _table(("field", ""), lines)

    def _what(self, schema: Node, said: Node) -> str:
        """A value: its type or its values, its limits, its default, and what is said of it."""
        told = [self._shape(schema), *_limits(self._whole(schema))]
        return ", ".join(filter(None, told)) + _after(said.get("description"))

    def _shape(self, schema: Node) -> str:
        if reference := schema.get("$ref"):
            name = reference.rpartition("/")[2]
            return self._named(name, self._whole(schema))
        if "enum" in schema:
            return " or ".join(f"`{value}`" for value in schema["enum"])
        if schema.get("type") == "array":
            return f"array of {self._shape(schema['items']) or 'values'}"
        if "properties" in schema:
            return "object of " + ", ".join(f"`{name}`" for name in schema["properties"])
        return str(schema.get("type", ""))

    def _named(self, name: str, whole: Node) -> str:
        if "properties" in whole:
            return f"[{name}](#{name.lower()})"
        return self._shape(whole)

    def _whole(self, node: Node) -> Node:
        """What a reference leads to."""
        while reference := node.get("$ref"):
            found: Any = self.contract
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node


def _limits(schema: Node) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}"
    elif low is not None:
        yield f"{low} or more"
    if "default" in schema:
        yield f"default `{json.dumps(schema['default']).strip(chr(34))}`"


def _after(description: str | None) -> str:
    return f": {_line(description)}" if description else ""


def _line(text: str) -> str:
    """Of a table's cell."""
    return _outside_code(" ".join(text.split()).replace("|", "\\|"))


def _outside_code(text: str) -> str:
    """A call is shown as code, braces and all."""
    return re.sub(r"(?<![`\w])((?:GET|POST|PUT|PATCH|DELETE) [/…][\w/{}…]*)", r"`\1`", text)


def _paragraph(text: str | None) -> str:
    return f"{_outside_code(' '.join(text.split())).rstrip('.')}.\n\n" if text else ""


def _example(content: Node) -> str:
    if "example" not in content:
        return ""
    return f", such as\n\n```json\n{json.dumps(content['example'], ensure_ascii=False)}\n```\n\n"


def _table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]]) -> str:
    rows = [head, tuple("---" for _ in head), *lines]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"
