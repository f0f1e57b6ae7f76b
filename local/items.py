"""The emulator's DynamoDB items, in SQLite: a change is there before it is answered.

MiniStack holds them in memory and writes all of them at its end; ten thousand jobs take seconds. It
has no hook for a single change, so five of its functions are wrapped: three that every service of
it has (`handle_request`, `get_state`, `load_persisted_state`) and the two that all its changes of
items pass (`_set_item`, `_remove_item`). Read them again before TESTED is raised.
"""

import importlib.metadata
import json
import os
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from ministack.core import persistence  # type: ignore[import-untyped]
from ministack.core.responses import error_response_json  # type: ignore[import-untyped]
from ministack.services import dynamodb  # type: ignore[import-untyped]

TESTED = "1.5.33"
SCHEMA = """CREATE TABLE IF NOT EXISTS items (
    table_id TEXT, pk TEXT, sk TEXT, item TEXT NOT NULL, PRIMARY KEY (table_id, pk, sk))"""

type Key = tuple[str, str, str]  # the table's id, partition and sort key
type Item = dict[str, Any]
type Table = dict[str, Any]  # as MiniStack has it: {"TableId": …, "items": {pk: {sk: item}}}


class OtherVersion(Exception):
    """MiniStack is not the version whose inner functions are known."""


class ItemStore:
    """The items of all tables in one SQLite file.

    Every write is one transaction that a killed process cannot tear; `sync` makes what is written
    outlive a power cut too. Raises sqlite3.Error where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._wal = path.with_name(f"{path.name}-wal")
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(SCHEMA)

    def write(self, changes: Iterable[tuple[Key, Item | None]]) -> None:
        """All of the changes or none; None takes an item away."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for key, item in changes:
                self._write_one(key, item)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _write_one(self, key: Key, item: Item | None) -> None:
        if item is None:
            self._db.execute("DELETE FROM items WHERE table_id = ? AND pk = ? AND sk = ?", key)
        else:
            row = (*key, json.dumps(item, separators=(",", ":")))
            self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?, ?)", row)

    def read(self) -> dict[str, dict[str, dict[str, Item]]]:
        """Items by table's id, partition key and sort key."""
        tables: dict[str, dict[str, dict[str, Item]]] = {}
        for table_id, pk, sk, item in self._db.execute("SELECT * FROM items"):
            tables.setdefault(table_id, {}).setdefault(pk, {})[sk] = json.loads(item)
        return tables

    def sync(self) -> None:
        """From a thread: the file system is slow, and writers need not wait for it."""
        if self._wal.exists():
            file = os.open(self._wal, os.O_RDONLY)
            try:
                os.fsync(file)
            finally:
                os.close(file)

    def close(self) -> None:
        self._db.close()


def opened(path: Path) -> ItemStore:
    """The store; where there is none yet, with the items of MiniStack's own state file."""
    if not path.exists():
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        with closing(ItemStore(new)) as store:
            store.write(_items_of(persistence.load_state("dynamodb") or {}))
        new.replace(path)
    return ItemStore(path)


def _items_of(state: dict[str, Any]) -> Iterable[tuple[Key, Item]]:
    tables = state["tables"].all_values() if state else ()
    for table in tables:
        for pk, partition in table["items"].items():
            for sk, item in partition.items():
                yield (table["TableId"], pk, sk), item


class Journal:
    """What MiniStack changes in its memory, until it is written."""

    def __init__(self, store: ItemStore) -> None:
        self._store = store
        # By key: the table, and the item before the first change.
        self._changed: dict[Key, tuple[Table, Item | None]] = {}
        self._lock = threading.Lock()  # items that expire are removed by a thread of MiniStack's

    def note(self, table: Table, pk: str, sk: str) -> None:
        """This item is about to change."""
        with self._lock:
            before = _find(table, pk, sk)
            self._changed.setdefault((table["TableId"], pk, sk), (table, before))

    def write(self) -> None:
        """Stores what has changed, or raises sqlite3.Error and takes it back."""
        with self._lock:
            changed, self._changed = self._changed, {}
        if not changed:
            return
        try:
            self._store.write((key, _find(table, *key[1:])) for key, (table, _) in changed.items())
        except sqlite3.Error:
            for key, (table, before) in changed.items():
                _put_back(table, key, before)
            raise


def _find(table: Table, pk: str, sk: str) -> Item | None:
    item: Item | None = table["items"].get(pk, {}).get(sk)
    return item


_set_item, _remove_item = dynamodb._set_item, dynamodb._remove_item


def _put_back(table: Table, key: Key, before: Item | None) -> None:
    _, pk, sk = key
    if before is None:
        _remove_item(table, pk, sk)
    else:
        _set_item(table, pk, sk, before)


def expect_tested_version() -> None:
    """Raises OtherVersion."""
    if (found := importlib.metadata.version("ministack")) != TESTED:
        raise OtherVersion(f"MiniStack is {found}, but local/items.py was written for {TESTED}.")


def keep_items_in(store: ItemStore) -> None:
    """MiniStack's DynamoDB on this store, from here on."""
    _record_changes(Journal(store))
    _leave_items_to(store)


def _record_changes(journal: Journal) -> None:
    handle_request = dynamodb.handle_request

    def set_item(table: Table, pk: str, sk: str, item: Item) -> Any:
        journal.note(table, pk, sk)
        return _set_item(table, pk, sk, item)

    def remove_item(table: Table, pk: str, sk: str) -> Any:
        journal.note(table, pk, sk)
        return _remove_item(table, pk, sk)

    async def stored(*request: Any) -> Any:
        answer = await handle_request(*request)  # awaits nothing: no other request comes between
        try:
            journal.write()
        except sqlite3.Error as error:
            return error_response_json("InsufficientStorage", f"Not saved: {error}", 507)
        return answer

    dynamodb._set_item, dynamodb._remove_item = set_item, remove_item
    dynamodb.handle_request = stored


def _leave_items_to(store: ItemStore) -> None:
    """MiniStack's own state file has the tables without their items."""
    get_state, load = dynamodb.get_state, dynamodb.load_persisted_state
    items = store.read()

    def state_without_items() -> Any:
        with dynamodb._lock:  # of the thread that removes what has expired
            tables = list(dynamodb._tables.all_values())
            held = [table["items"] for table in tables]
            try:
                for table in tables:
                    table["items"] = {}
                return get_state()
            finally:
                for table, its in zip(tables, held, strict=True):
                    table["items"] = its

    def load_with_items(state: dict[str, Any]) -> None:
        for table in state["tables"].all_values():
            table["items"] = items.pop(table["TableId"], {})
            table["ItemCount"] = sum(len(partition) for partition in table["items"].values())
        load(state)

    dynamodb.get_state, dynamodb.load_persisted_state = state_without_items, load_with_items
