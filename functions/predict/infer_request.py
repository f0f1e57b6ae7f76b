"""The body of an inference request, checked: its tensors, and which outputs it wants how."""

from dataclasses import dataclass
from typing import Any

from kmeans_service import json_values
from kmeans_service.errors import InvalidParameter, MalformedRequest, quoted
from kmeans_service.http import json_body
from kmeans_service.http.points import refused
from kmeans_service.json_values import is_integer, shown
from predict.tensors import Tensor, shape_of

LENGTH = "Inference-Header-Content-Length"
OUTPUTS = ("predict", "transform")


@dataclass(frozen=True)
class InferRequest:
    """outputs  by name, in the order asked for, whether it is wanted as bytes"""

    model_name: str | None
    request_id: str | None
    tensors: list[Tensor]
    outputs: dict[str, bool]


def read_request(body: bytes, length: str) -> InferRequest:
    """Of the body, whose first bytes are JSON; raises InvalidParameter or MalformedRequest.

    length  how many bytes that are, as the header says; "": all
    """
    head, rest = _parted(body, length)
    document = json_values.loads(head)
    if isinstance(document, dict):
        document = _given(document)
    named = ("id", "model_name", "parameters", "outputs")
    asked = json_body.fields(document, ("inputs",), named)
    as_bytes = _flag(_parameters(asked, "", ("binary_data_output",)), "binary_data_output", False)
    return InferRequest(
        _text(asked, "model_name"),
        _text(asked, "id"),
        _tensors(asked["inputs"], rest),
        _outputs(asked.get("outputs"), as_bytes),
    )


def _parted(body: bytes, length: str) -> tuple[bytes, bytes]:
    if not length:
        return body, b""
    if not (length.isascii() and length.isdecimal()) or int(length[:20]) > len(body):
        raise MalformedRequest(
            f"{LENGTH} is {quoted(length)}; allowed is how many bytes of the body are JSON, "
            f"at most all {len(body)}"
        )
    return body[: int(length)], body[int(length) :]


def _tensors(inputs: Any, rest: bytes) -> list[Tensor]:
    if not isinstance(inputs, list) or not inputs:
        raise refused("inputs", shown(inputs), "an array of tensors, at least one")
    tensors, at = [], 0
    for number, given in enumerate(inputs):
        tensor = _tensor(f"inputs[{number}]", given, rest[at:])
        at += len(tensor.data) if isinstance(tensor.data, bytes) else 0
        tensors.append(tensor)
    if at != len(rest):
        raise MalformedRequest(
            f"behind the JSON are {len(rest)} bytes; the binary_data_size of all inputs come to "
            f"{at}"
        )
    return tensors


def _tensor(place: str, given: Any, rest: bytes) -> Tensor:
    found = _object(place, given, ("name", "shape", "datatype"), ("data", "parameters"))
    for member in ("name", "datatype"):
        if not isinstance(found[member], str):
            raise refused(f"{place}.{member}", shown(found[member]), "a text")
    size = _parameters(found, f"{place}.", ("binary_data_size",)).get("binary_data_size")
    if (size is None) == ("data" not in found):
        told = f"{place} must have either data or the parameter binary_data_size"
        raise InvalidParameter(told, field=place)
    data = found.get("data")
    if size is not None:
        if not is_integer(size) or not 0 <= size <= len(rest):
            allowed = f"an integer from 0 to {len(rest)}, the bytes that follow"
            raise refused(f"{place}.parameters.binary_data_size", shown(size), allowed)
        data = rest[:size]
    elif not isinstance(data, list):
        raise refused(f"{place}.data", shown(data), "an array")
    shape = shape_of(place, found["shape"])
    return Tensor(place, found["name"], found["datatype"], shape, data)


def _outputs(asked: Any, as_bytes: bool) -> dict[str, bool]:
    if asked is None:
        return dict.fromkeys(OUTPUTS, as_bytes)
    if not isinstance(asked, list) or not asked:
        raise refused("outputs", shown(asked), "an array of outputs, at least one")
    found = {}
    for number, given in enumerate(asked):
        place = f"outputs[{number}]"
        output = _object(place, given, ("name",), ("parameters",))
        if output["name"] not in OUTPUTS or output["name"] in found:
            allowed = f"{' or '.join(OUTPUTS)}, each once"
            raise refused(f"{place}.name", shown(output["name"]), allowed)
        parameters = _parameters(output, f"{place}.", ("binary_data",))
        found[output["name"]] = _flag(parameters, "binary_data", as_bytes)
    return found


def _parameters(owner: dict[str, Any], before: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A content_type tells clients of frames and arrays apart, which are the same tensors here."""
    place = f"{before}parameters"
    return _object(place, owner.get("parameters", {}), (), (*known, "content_type"))


def _object(
    place: str, given: Any, required: tuple[str, ...], optional: tuple[str, ...]
) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise refused(place, shown(given), "an object")
    found = _given(given)
    for name in found:
        if name not in required + optional:
            told = f"{place} has {quoted(name)}; allowed are {', '.join(required + optional)}"
            raise InvalidParameter(told, field=f"{place}.{name[:100]}")
    for name in required:
        if name not in found:
            raise InvalidParameter(f"{place} has no {name}", field=f"{place}.{name}")
    return found


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """What is optional may be null."""
    return {name: value for name, value in members.items() if value is not None}


def _flag(parameters: dict[str, Any], name: str, otherwise: bool) -> bool:
    flag = parameters.get(name, otherwise)
    if not isinstance(flag, bool):
        raise refused(name, shown(flag), "true or false")
    return flag


def _text(asked: dict[str, Any], name: str) -> str | None:
    text = asked.get(name)
    if text is not None and not isinstance(text, str):
        raise refused(name, shown(text), "a text")
    return text
