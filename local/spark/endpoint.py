"""Four calls of EMR Serverless over HTTP: StartJobRun, GetJobRun, CancelJobRun, ListJobRuns.

Source: https://docs.aws.amazon.com/emr-serverless/latest/APIReference/
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from local.settings import LOOPBACK, REGION
from local.spark.runs import GIGABYTES, PROCESSORS, Run, Runs

ACCOUNT = "000000000000"
RELEASE = "emr-spark-8.0.0"


class Refused(Exception):
    """An answer that is none, with the name of its error."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.name = status, name


@contextmanager
def serving(runs: Runs, port: int = 0) -> Iterator[str]:
    """The URL at which the runs are answered; a port of 0 is one that is free."""

    class Handler(_Handler):
        known = runs

    with ThreadingHTTPServer((LOOPBACK, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    known: Runs

    def do_POST(self) -> None:
        self._answer(self._start)

    def do_GET(self) -> None:
        self._answer(self._look)

    def do_DELETE(self) -> None:
        self._answer(self._cancel)

    def log_message(self, *_: Any) -> None:
        """Who wants to know asks for the run."""

    def _answer(self, call: Any) -> None:
        try:
            status, body = 200, call(*self._path())
        except KeyError:
            status, body = self._problem(Refused(404, "ResourceNotFoundException", "no such run"))
        except ValueError as error:
            status, body = self._problem(Refused(400, "ValidationException", str(error)))
        except Refused as refused:
            status, body = self._problem(refused)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        if status != 200:
            self.send_header("x-amzn-ErrorType", body["name"])
        self.end_headers()
        self.wfile.write(text)

    def _problem(self, refused: Refused) -> tuple[int, dict[str, str]]:
        return refused.status, {"message": str(refused), "name": refused.name}

    def _path(self) -> tuple[str, str]:
        """Application and run, empty where all are meant."""
        match [unquote(part) for part in urlsplit(self.path).path.split("/")]:
            case ["", "applications", application, "jobruns"]:
                return application, ""
            case ["", "applications", application, "jobruns", run_id] if run_id:
                return application, run_id
        raise Refused(404, "ResourceNotFoundException", "no such path")

    def _start(self, application: str, _run_id: str) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length", 0))
        run = self.known.start(json.loads(self.rfile.read(length)))
        return {
            "applicationId": application,
            "jobRunId": run.run_id,
            "arn": arn(application, run.run_id),
        }

    def _look(self, application: str, run_id: str) -> dict[str, Any]:
        if run_id:
            return {"jobRun": _shown(application, self.known.get(run_id))}
        states = parse_qs(urlsplit(self.path).query).get("states", [])
        found = self.known.in_states(states)
        return {"jobRuns": [{"id": run.run_id} | _shown(application, run) for run in found]}

    def _cancel(self, application: str, run_id: str) -> dict[str, Any]:
        self.known.cancel(run_id)
        return {"applicationId": application, "jobRunId": run_id}


def arn(application: str, run_id: str) -> str:
    return f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications/{application}/jobruns/{run_id}"


def _shown(application: str, run: Run) -> dict[str, Any]:
    asked = run.asked
    used = {"vCPUHour": run.hours * PROCESSORS, "memoryGBHour": run.hours * GIGABYTES}
    return {
        "applicationId": application,
        "jobRunId": run.run_id,
        "arn": arn(application, run.run_id),
        "createdBy": asked["executionRoleArn"],
        "createdAt": run.created,
        "updatedAt": run.ended or run.started or run.created,
        "executionRole": asked["executionRoleArn"],
        "state": run.state,
        "stateDetails": run.detail,
        "releaseLabel": RELEASE,
        "jobDriver": asked["jobDriver"],
        "totalResourceUtilization": used | {"storageGBHour": 0.0},
    } | ({"name": asked["name"]} if "name" in asked else {})


def changed(application: str, run: Run) -> dict[str, Any]:
    """The event that EventBridge tells of a run's change of state."""
    return {
        "version": "0",
        "detail-type": "EMR Serverless Job Run State Change",
        "source": "aws.emr-serverless",
        "account": ACCOUNT,
        "region": REGION,
        "resources": [],
        "detail": {
            "jobRunId": run.run_id,
            "jobRunName": run.asked.get("name", ""),
            "applicationId": application,
            "arn": arn(application, run.run_id),
            "releaseLabel": RELEASE,
            "state": run.state,
        },
    }
