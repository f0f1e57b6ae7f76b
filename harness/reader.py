"""A reader of the documentation, who types what stands there into one shell."""

import os
import subprocess
import sys
from pathlib import Path

from harness import PROJECT
from harness.documents import Example
from harness.service.running import Service

NEXT = "\f"
LIMIT = 600  # seconds for a page, on a machine that has other work
KMEANS = "from kmeans_client.command import main; main()"


class Reader:
    """Sits in a folder that looks like the clone, beside a service that is running."""

    def __init__(self, folder: Path, service: Service) -> None:
        self.folder, self.service = folder, service
        for entry in PROJECT.iterdir():
            (folder / entry.name).symlink_to(entry)
        self.programs = folder / ".programs"
        self.programs.mkdir()
        kmeans = self.programs / "kmeans"
        kmeans.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{KMEANS}' \"$@\"\n")
        kmeans.chmod(0o755)
        (self.programs / ".curlrc").write_text("no-progress-meter\n")  # which no page shows

    def reads(self, examples: list[Example]) -> list[str]:
        """What each example prints, errors and all, on an empty service; none of them may fail."""
        self.service.empty()
        script = "".join(f"{example.script}\nprintf '{NEXT}'\n" for example in examples)
        shell = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script.replace("localhost:8080", self._address)],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
        )
        *printed, last = shell.stdout.replace(self._address, "localhost:8080").split(NEXT)
        notes = self.folder / "notes.txt"  # where pages put what they do not show
        said = notes.read_text() if notes.exists() else ""
        assert len(printed) == len(examples), f"block {len(printed) + 1} failed: {last!r} {said}"
        return printed

    @property
    def _address(self) -> str:
        return f"localhost:{self.service.port}"

    @property
    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join(map(str, (self.programs, PROJECT / ".venv/bin", os.environ["PATH"])))
        return self.service.environment | {
            "PATH": path,
            "CURL_HOME": str(self.programs),
            "PYTHONPATH": str(PROJECT / "client/src"),
            "KMEANS_URL": self.service.url,
            "XDG_CONFIG_HOME": str(self.folder / ".config"),
            "XDG_STATE_HOME": str(self.folder / ".state"),
        }
