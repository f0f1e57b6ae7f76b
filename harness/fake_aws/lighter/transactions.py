"""A transaction keeps what it writes, to go back to it: moto copies whole tables for each write."""

from copy import copy, deepcopy
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

_transact = DynamoDBBackend.transact_write_items
_kept: dict[int, Table] = {}  # by the table there is; of one transaction, as there is one at a time


def transact_write_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    for write in (write for one in transact_items for write in one.values()):
        table = self.tables.get(write.get("TableName"))
        if table is not None and table.stream_shard is None:
            _keep(table)
            _change_a_copy(self, table, write)
    try:
        _transact(self, transact_items)
    finally:
        _kept.clear()


def kept(there: Any) -> Any:
    return _kept[id(there)] if id(there) in _kept else deepcopy(there)


def _keep(table: Table) -> None:
    if id(table) not in _kept:
        before = _kept[id(table)] = copy(table)
        before.items = copy(table.items)
        if table.has_range_key:
            before.items.update({key: copy(items) for key, items in table.items.items()})


def _change_a_copy(backend: DynamoDBBackend, table: Table, write: dict[str, Any]) -> None:
    """An update changes the item itself, which is the one that is kept; others put a new one."""
    if "UpdateExpression" not in write:
        return
    try:
        keys = backend.get_keys_value(table, write["Key"])
        item = table.get_item(*keys)
    except Exception:  # noqa: BLE001 (moto says what is wrong when it comes to it)
        return
    if item is not None:
        in_order: Any = table.items[keys[0]] if table.has_range_key else table.items
        in_order[keys[1] if table.has_range_key else keys[0]] = deepcopy(item)
