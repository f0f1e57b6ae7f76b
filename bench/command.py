"""`kmeans FILE` beside the same calls by curl; and what its help takes."""

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bench import points
from bench.goals import at_most
from bench.measure import ROOT, Seconds, cpu_seconds, in_turn, ratios, spread
from bench.points import Points
from bench.report import Goal
from bench.scale import Scale
from harness.processes import seconds_of_sessions
from harness.service.running import Service

PYTHON = ROOT / ".venv-client" / "bin" / "python"
RUN = "from kmeans_client.command import main; main()"
HELP_MILLISECONDS = 150


def command(scale: Scale, folder: Path, service: Service) -> list[Goal]:
    helps = [1000 * seconds for seconds in _help(scale)]
    median = sorted(helps)[len(helps) // 2]
    met = median <= HELP_MILLISECONDS
    what = f"≤ {HELP_MILLISECONDS} ms"
    goals = [Goal("kmeans --help: CPU", what, f"{spread(helps)} ms", met)]
    given = points.write(folder, *scale.command)
    found = _beside_curl(scale, given, service)
    what = f"kmeans FILE, {given.name}: CPU of command and service, of the same calls' by curl"
    return [*goals, at_most(what, ratios(found["kmeans"], found["curl"]), 1.3)]


def _help(scale: Scale) -> Seconds:
    kmeans = partial(_kmeans, "--help")
    rounds = scale.warm_rounds + 2 * scale.short_rounds
    return in_turn(rounds, {"help": lambda: _cpu_of(kmeans)})["help"][scale.warm_rounds :]


def _beside_curl(scale: Scale, given: Points, service: Service) -> dict[str, Seconds]:
    content = given.read()

    def measured(call: Callable[[Path, str], Any]) -> float:
        """Of a file that the service has not seen."""
        path = given.path.with_name(f"{uuid.uuid4().hex}.csv")
        path.write_bytes(content)
        before = seconds_of_sessions(service.sessions())
        client = _cpu_of(lambda: call(path, service.url))
        path.unlink()
        return client + seconds_of_sessions(service.sessions()) - before

    ways = {"kmeans": partial(measured, _by_kmeans), "curl": partial(measured, _by_curl)}
    in_turn(scale.warm_rounds, ways)
    return in_turn(scale.short_rounds, ways)


def _by_kmeans(path: Path, url: str) -> None:
    _kmeans(str(path), "-k", "8", "--url", url, "--json", "-o", os.devnull, cwd=path.parent)


def _kmeans(*words: str, cwd: Path = ROOT) -> None:
    environ = os.environ | {"PYTHONPATH": str(ROOT / "client" / "src")}
    run = partial(subprocess.run, check=True, cwd=cwd, env=environ, stdout=subprocess.DEVNULL)
    run([str(PYTHON), "-c", RUN, *words], stderr=subprocess.DEVNULL)


def _by_curl(path: Path, url: str) -> None:
    """What the command asks, of a file that a request cannot carry."""
    form = json.loads(_curl(f"{url}/uploads", "--json", json.dumps({"filename": path.name})))
    fields = [word for field in form["fields"].items() for word in ("-F", "=".join(field))]
    _curl(form["url"], *fields, "-F", f"file=@{path}")
    job = form["job_id"]
    _until(f"{url}/jobs/{job}", "UPLOADED", "FAILED")
    _curl(f"{url}/jobs/{job}")
    _curl(f"{url}/jobs/{job}/columns")
    params = {"n_clusters": 8, "algorithm": "swap"}
    asked = json.dumps({"job_id": job, "model_params": params, "preprocessing": {}})
    _curl(f"{url}/fit", "--json", asked, "-H", "Prefer: wait=3")
    _until(f"{url}/jobs/{job}", "SUCCEEDED", "FAILED")
    for made in ("rows", "report", "clusters"):
        _curl_made(f"{url}/jobs/{job}/{made}", path.with_suffix(f".{made}"))


def _curl(url: str, *words: str) -> bytes:
    run = ["curl", "-s", "--fail", "-L", url, *words]
    return subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603


def _until(url: str, *statuses: str) -> None:
    """Asked as often as the client asks."""
    for pause in pauses():
        if json.loads(_curl(url))["status"] in statuses:
            return
        time.sleep(pause)


def _curl_made(url: str, target: Path) -> None:
    for pause in pauses():
        if _curl(url, "-o", str(target), "-w", "%{http_code}") != b"202":
            return
        time.sleep(pause)


def pauses() -> Iterator[float]:
    """The client's: kmeans_client/transport.py."""
    pause = 0.1
    while True:
        yield pause
        pause = min(pause * 1.5, 2)


def _cpu_of(work: Callable[[], Any]) -> float:
    before = cpu_seconds()
    work()
    return cpu_seconds() - before
