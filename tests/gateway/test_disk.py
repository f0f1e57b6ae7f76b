"""The gateway on a full disk."""

from pathlib import Path

import pytest
from aiohttp import web

from harness.service.gateway import Asked, at_once, through_gateway
from local import disk


def test_on_a_full_disk_nothing_is_stored_but_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def ask(client: Asked) -> None:
        for path in ("upload", "uploads", "fit", "fit_predict", "predictions", "unknown"):
            answer = await client.post(f"/kmeans/{path}", data=b"{}")
            assert answer.status == 507, path
            assert answer.content_type == "application/problem+json"
            assert "DELETE /kmeans/jobs" in (await answer.json())["detail"]
        for path in ("predict", "transform", "score"):
            assert (await client.post(f"/kmeans/{path}", data=b"{}")).status == 200, path
        assert (await client.get("/kmeans/jobs")).status == 200
        assert (await client.delete("/kmeans/jobs/0")).status == 200

    monkeypatch.setattr(disk, "RESERVE", 10**18)
    through_gateway(at_once, ask)


def test_a_disk_that_fills_up_during_the_request_is_no_fault_of_the_service(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def backend(_request: web.Request) -> web.Response:
        monkeypatch.setattr(disk, "RESERVE", 10**18)
        return web.Response(status=503)

    async def ask(client: Asked) -> None:
        assert (await client.post("/kmeans/upload", data=b"x")).status == 507

    through_gateway(backend, ask)


def test_what_lies_in_a_folder_counts_with_all_below(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "below" / "b").write_bytes(b"45")
    assert disk.size_of(tmp_path) == 5
