"""What goes over the wire, and what comes back: refusals, tries, other servers, credentials."""

import json
import pickle
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kmeans_client import Client, problems

from .command_line import Kmeans


def test_problems_can_be_pickled(client: Client) -> None:
    with pytest.raises(problems.JobNotFound) as refused:
        client.get_job(10**6)
    again = pickle.loads(pickle.dumps(refused.value))
    assert (type(again), str(again)) == (problems.JobNotFound, str(refused.value))


def test_where_nobody_listens_it_is_said_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(problems.NoService, match="No service answers"):
            Client(f"http://127.0.0.1:{taken.getsockname()[1]}").health()
    with pytest.raises(problems.NoService, match="no URL"):
        Client("localhost:8080")


class Answers(BaseHTTPRequestHandler):
    """Answers what it was told to, one after the other."""

    told: list[tuple[int, dict[str, str], bytes]]
    asked: list[str]
    sent: list[bytes]

    def do_GET(self) -> None:
        status, headers, body = self.told.pop(0)
        self.asked.append(f"{self.command} {self.path} {self.headers.get('Authorization')}")
        self.sent.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 (the name that http.server calls)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def other() -> Iterator[Any]:
    handler = type("Handler", (Answers,), {"told": [], "asked": [], "sent": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    handler.url = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


JSON = {"Content-Type": "application/json"}
BUSY = (503, {"Retry-After": "0", "Content-Type": "application/problem+json"}, b'{"title": "Busy"}')


def test_what_was_refused_for_now_is_asked_for_again(other: Any) -> None:
    other.told += [BUSY, BUSY, (200, JSON, b'{"status": "ok", "version": "1"}')]
    told = list[str]()
    assert Client(other.url, "km_x", retrying=told.append).health()["version"] == "1"
    assert told == [f"{other.url}/kmeans answered 503: Busy; trying again for up to 90 s"] * 2
    assert other.asked == ["GET /kmeans/health Bearer km_x"] * 3


def test_patience_ends(other: Any) -> None:
    other.told += [BUSY] * 9
    with pytest.raises(problems.Problem) as refused:
        Client(other.url, patience=0.5).health()
    assert refused.value.status == 503
    assert len(other.asked) < 9


def test_what_may_have_been_done_is_not_done_twice(other: Any) -> None:
    other.told += [(504, JSON, b"{}"), (504, JSON, b"{}")]
    with pytest.raises(problems.Problem):
        Client(other.url, patience=1).create_prediction(0)
    assert len(other.asked) == 1


def test_the_bucket_is_sent_no_credentials(other: Any) -> None:
    other.told += [(303, {"Location": "/bucket"}, b""), (200, JSON, b'{"labels": [0]}')]
    assert Client(other.url, "km_x").get_labels(0) == [0]
    assert other.asked[1] == "GET /bucket None"


RUNS = {"status": "PENDING", "progress": {"stage": "LABELLING", "percent": 40, "cents": 3}}


def test_points_for_an_engine_go_by_the_bucket_and_who_waits_is_told(other: Any) -> None:
    form = {"prediction_id": "0-1", "url": f"{other.url}/bucket", "fields": {"key": "k"}}
    other.told += [
        (202, JSON, json.dumps(form).encode()),
        (204, {}, b""),
        (202, JSON, json.dumps(RUNS).encode()),
        (303, {"Location": "/labels"}, b""),
        (200, {}, b"1\n0\n"),
    ]
    told = list[Any]()
    client = Client(other.url)
    assert client.predict(0, [[1, 2], [3, 4]], engine="spark", watch=told.append) == [1, 0]
    assert told == [RUNS]
    assert [each.split()[1] for each in other.asked] == [
        *("/kmeans/predictions", "/bucket", *["/kmeans/predictions/0-1"] * 2, "/labels"),
    ]
    assert json.loads(other.sent[0]) == {"job_id": 0, "engine": "spark"}


def test_rows_that_are_being_made_are_told_of(other: Any) -> None:
    other.told += [(202, JSON, json.dumps(RUNS).encode()), (200, {}, b"x,cluster\n1,0\n")]
    told = list[Any]()
    assert Client(other.url).get_rows(0, watch=told.append) == b"x,cluster\n1,0\n"
    assert told == [RUNS]


def test_a_job_of_many_files_is_shown_without_what_is_not_made_of_it(
    other: Any, tmp_path: Path
) -> None:
    job = {"job_id": 0, "status": "SUCCEEDED", "filename": "nightly", "files": 36}
    found = {"scores": {"cluster_sizes": [24_000, 12]}, "links": {"labels": "…/labels"}}
    other.told.append((200, JSON, json.dumps(job | found).encode()))
    shown = Kmeans(tmp_path, other.url)("show", "0")
    assert "nightly" in shown
    assert shown.endswith("Cluster 0: 24,000 rows\nCluster 1: 12 rows\n")


def test_another_server_is_no_service(other: Any) -> None:
    other.told += [(404, {"Content-Type": "text/html"}, b"<h1>"), (200, {}, b"hello")]
    for _ in range(2):
        with pytest.raises(problems.NoService, match="not of a k-means service"):
            Client(other.url).health()
