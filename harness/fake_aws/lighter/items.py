"""Items: what nobody changes is not copied, and sizes are not added up anew for each attribute."""

from copy import deepcopy
from typing import Any, cast

from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models import utilities
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict

_IMMUTABLE = frozenset({"S", "N", "B", "BOOL", "NULL"})
_MAX_SIZE = 405_000  # moto's
_copied = DynamoType.__deepcopy__
_cast_value = DynamoType.cast_value.fget  # type: ignore[attr-defined]
_size = DynamoType.size
_to_dict = utilities.dynamo_to_dict


def copied_value(self: DynamoType, memo: dict[int, Any]) -> DynamoType:
    return self if self.type in _IMMUTABLE else _copied(self, memo)


def copied_item(self: Item, memo: dict[int, Any]) -> Item:
    if id(self) in memo:
        return memo[id(self)]  # type: ignore[no-any-return]
    item = cast(Item, Item.__new__(Item))
    memo[id(self)] = item
    item.hash_key = deepcopy(self.hash_key, memo)
    item.range_key = deepcopy(self.range_key, memo)
    item.attrs = LimitedSizeDict()
    dict.update(item.attrs, self.attrs)
    for name, value in self.attrs.items():
        if value.type not in _IMMUTABLE:
            dict.__setitem__(item.attrs, name, deepcopy(value, memo))
    return item


def begin_item(self: Item, hash_key: Any, range_key: Any, attrs: dict[str, Any]) -> None:
    self.hash_key = hash_key
    self.range_key = range_key
    self.attrs = LimitedSizeDict()
    size = 0
    for name, given in attrs.items():
        value = DynamoType(given)
        size += utilities.bytesize(name) + value.size()
        if size > _MAX_SIZE:
            raise ItemSizeTooLarge
        dict.__setitem__(self.attrs, name, value)


def cast_value(self: DynamoType) -> Any:
    return self.value if self.type == "S" else _cast_value(self)


def value_size(self: DynamoType) -> int:
    """A query asks it of each value of each item up to three times."""
    if self.type not in _IMMUTABLE:
        return _size(self)
    known = self.__dict__.get("known_size")
    if known is None:
        known = self.known_size = _size(self)  # type: ignore[attr-defined]
    return known


def to_dict(there: Any) -> Any:
    """moto asks of each value whether it is a time, and of each text whether it is an item."""
    kind = type(there)
    if kind is str:
        return there
    if kind is DynamoType and there.type in {"S", "N"}:
        return {there.type: there.value}
    if kind is dict:
        return {name: to_dict(value) for name, value in there.items()}
    return _to_dict(there)


def item_size(self: Item) -> int:
    return sum(
        (len(name) if name.isascii() else utilities.bytesize(name))
        + (value.__dict__.get("known_size") or value.size())
        for name, value in self.attrs.items()
    )
