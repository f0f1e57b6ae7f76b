"""What `make run` does with a state that is damaged: it keeps it, says so, and knows a way on."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from local import disk, saved_state
from local.items import ItemStore
from local.settings import Settings, StartRefused

ROW = ("table-id", "O#public", "J#0000000000")
ITEM = {"pk": {"S": "O#public"}, "note": {"S": "x" * 20_000}}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A state that is whole, and its copy."""
    made = Settings(home=tmp_path / "home")
    made.state.mkdir(parents=True)
    (made.state / "sqs.json").write_text('{"__ministack_format__": 2, "payload": {"queues": {}}}')
    with closing(ItemStore(made.items)) as store:
        store.write([(ROW, ITEM)])
    saved_state.keep_copy(made)
    return made


def cut_in_half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def fill_with_garbage(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 50)


def empty(file: Path) -> None:
    os.truncate(file, 0)


def put_other_json_there(file: Path) -> None:
    file.write_text("{}")


DAMAGES = (cut_in_half, fill_with_garbage, empty, put_other_json_there, Path.unlink)


def test_a_state_that_is_whole_is_started_on(settings: Settings) -> None:
    saved_state.check(settings)
    assert saved_state.recover(settings) == ["The saved state is whole; nothing was changed."]


def test_a_first_start_has_no_state_and_needs_none(tmp_path: Path) -> None:
    saved_state.check(Settings(home=tmp_path))
    saved_state.keep_copy(Settings(home=tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["sqs.json", "items.sqlite"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_named_and_left_as_it_is_and_its_copy_helps(
    settings: Settings, damage: Callable[[Path], None], name: str
) -> None:
    file = settings.state / name
    whole = file.read_bytes()
    damage(file)
    damaged = file.read_bytes() if file.exists() else None
    for _ in range(2):
        with pytest.raises(StartRefused, match=f"damaged.*{name}.*recover.*move .* away"):
            saved_state.check(settings)
    assert (file.read_bytes() if file.exists() else None) == damaged

    [first, _] = saved_state.recover(settings)
    assert first.startswith(name)
    saved_state.check(settings)
    assert file.read_bytes() == whole
    [aside] = settings.home.glob("damaged-*")
    assert [kept.read_bytes() for kept in aside.iterdir()] == (
        [damaged] if damaged is not None else []
    )


def test_what_no_copy_has_cannot_be_recovered(settings: Settings) -> None:
    (settings.state / "new.json").write_text("{")
    with pytest.raises(StartRefused, match=r"no copy of new\.json"):
        saved_state.recover(settings)
    assert (settings.state / "new.json").read_text() == "{"


def test_a_copy_that_cannot_be_made_leaves_the_one_before(settings: Settings) -> None:
    before = (settings.state_copy / "sqs.json").read_bytes()
    (settings.state / "dangling").symlink_to("nowhere")
    with pytest.raises(OSError, match="dangling"):
        saved_state.keep_copy(settings)
    assert (settings.state_copy / "sqs.json").read_bytes() == before


def test_the_copy_leaves_the_room_that_the_next_start_needs(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = settings.state_copy.stat().st_ino
    monkeypatch.setattr(disk, "START_BYTES", 10**18)
    with pytest.raises(OSError, match="No space left"):
        saved_state.keep_copy(settings)
    assert settings.state_copy.stat().st_ino == before


# --- the items --------------------------------------------------------------------


def test_a_transaction_is_stored_whole_or_not_at_all(tmp_path: Path) -> None:
    with closing(ItemStore(tmp_path / "items.sqlite")) as store:
        store.write([(ROW, ITEM)])
        store._db.execute("PRAGMA max_page_count = 12")  # a disk that is full
        with pytest.raises(sqlite3.Error, match="full"):
            store.write(
                [(ROW, None), (("table-id", "O#public", "big"), {"note": {"S": "x" * 9**6}})]
            )
        assert store.read() == {"table-id": {"O#public": {"J#0000000000": ITEM}}}
        store.write([(ROW, None)])
        assert store.read() == {}


def test_items_of_a_version_that_had_them_in_json_are_taken_over_once(tmp_path: Path) -> None:
    """In a process of its own, as MiniStack reads its folder's name when it is imported."""
    scope = "000000000000\0us-east-1\0'jobs'"
    table = {"TableId": "id", "items": {"O#public": {"META": {"next_id": {"N": "7"}}}}}
    payload = {"tables": {"__account_region_scoped__": True, "data": {scope: table}}}
    (tmp_path / "dynamodb.json").write_text(
        json.dumps({"__ministack_format__": 2, "payload": payload})
    )
    script = "import sys, pathlib; from local.items import opened; "
    script += "print(opened(pathlib.Path(sys.argv[1])).read())"
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script, tmp_path / "items.sqlite"],
            env=os.environ | {"PERSIST_STATE": "1", "STATE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.splitlines()[-1] == str({"id": table["items"]})
        (tmp_path / "dynamodb.json").unlink(missing_ok=True)


def test_another_version_of_the_emulator_is_not_started() -> None:
    script = "from local import items; items.TESTED = '0.1'; items.expect_tested_version()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "but local/items.py was written for 0.1" in done.stderr.splitlines()[-1]
