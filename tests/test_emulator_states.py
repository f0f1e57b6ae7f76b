"""What the emulator saves of its services, a second after each change."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ministack.core import persistence  # type: ignore[import-untyped]
from ministack.core.responses import AccountRegionScopedDict  # type: ignore[import-untyped]

from local import states


@pytest.fixture(autouse=True)
def _persisting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persistence, "save_state", persistence.save_state)  # put back at the end
    monkeypatch.setattr(persistence, "PERSIST_STATE", True)
    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path))


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, Any], None]:
    states.write_changes_only(tmp_path)
    return lambda service, state: persistence.save_all({service: lambda: state})


def test_what_is_saved_is_there_at_the_next_start(save: Callable[[str, Any], None]) -> None:
    queues = AccountRegionScopedDict()
    queues["jobs"] = {"messages": [b"\xff\x00", "é"], "delay": 0.5}
    save("sqs", {"queues": queues})
    assert persistence.load_state("sqs")["queues"]._data == queues._data


def test_it_is_what_the_emulator_writes_by_itself(tmp_path: Path) -> None:
    persistence.save_state("scheduler", {"schedules": {"sweep": b"at once"}})
    written = (tmp_path / "scheduler.json").read_text()
    assert written == states.text_of("scheduler", {"schedules": {"sweep": b"at once"}})


def test_what_did_not_change_is_not_written_again(
    save: Callable[[str, Any], None], tmp_path: Path
) -> None:
    save("iam", {"a": 1})
    first = (tmp_path / "iam.json").stat().st_ino
    save("iam", {"a": 1})
    assert (tmp_path / "iam.json").stat().st_ino == first
    save("iam", {"a": 2})
    assert persistence.load_state("iam") == {"a": 2}
    save("iam", {"a": 1})
    assert persistence.load_state("iam") == {"a": 1}


def test_what_cannot_be_written_is_in_the_log_leaves_what_was_there_and_is_tried_again(
    save: Callable[[str, Any], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    save("iam", {"a": 1})
    with monkeypatch.context() as full, caplog.at_level(logging.ERROR):

        def no_room(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        full.setattr("os.replace", no_room)
        save("iam", {"a": 2})
        save("sqs", {"a": object()})
    assert "failed to save iam" in caplog.text
    assert "failed to save sqs" in caplog.text
    assert [file.name for file in tmp_path.iterdir()] == ["iam.json"]
    assert persistence.load_state("iam") == {"a": 1}
    save("iam", {"a": 2})
    assert persistence.load_state("iam") == {"a": 2}
