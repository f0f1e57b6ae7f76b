"""Values to DynamoDB's typed form and back."""

from contextlib import suppress
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

# What reading an item raises that somebody has changed, or cut.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)


_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


def marshal(values: dict[str, Any]) -> dict[str, Any]:
    """Plain values to DynamoDB's typed form; None is left out."""
    return {k: _serializer.serialize(v) for k, v in values.items() if v is not None}


def unmarshal(item: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(typed) for name, typed in item.items()}


def plain(typed: dict[str, Any]) -> Any:
    """The value of one attribute; ours are texts, integers, booleans, and lists and maps of them.

    boto3's deserializer goes by way of Decimal, and takes three times as long.
    """
    [(kind, value)] = typed.items()
    match kind:
        case "N":
            return int(value)
        case "M":
            return unmarshal(value)
        case "L":
            return [plain(inner) for inner in value]
    return value


def exactly(typed: Any) -> Any:
    """The value of any attribute, also of one that we never write, to be compared with itself."""
    return _deserializer.deserialize(typed)


def stored_bytes_in(item: dict[str, Any]) -> int:
    """The bytes of all objects that an item names: the ones that its owner keeps by it.

    A damaged one is read as far as it can be.
    """
    found = 0
    with suppress(*UNREADABLE):
        found = sum(map(_bytes_of, unmarshal(item).values()))
    return found


def _bytes_of(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_bytes_of, value))
    if not isinstance(value, dict):
        return 0
    size = value.get("size")
    own = size if "key" in value and isinstance(size, int) else 0
    return own + sum(map(_bytes_of, value.values()))
