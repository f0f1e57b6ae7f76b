"""Fits that a stop of the service interrupts go on at its next start; it was no attempt of theirs.

Where the service was killed nobody knows what did it, and it may have been the fit: then its lease
runs out, and the attempt counts.
"""

import os
import subprocess
import sys
import time

from local import exports
from local.settings import PROJECT, Settings
from local.welcome import say, shown


def note_stop(settings: Settings) -> None:
    """Nothing runs any more, as the service was told to stop."""
    try:
        settings.stopped.write_text(str(int(time.time())))
    except OSError as error:
        say(f"The stop could not be noted ({error.strerror}): it counts as an attempt of its fits.")


def hand_back_fits(settings: Settings) -> None:
    """On the running service: the fits that ran at the stop before this start, if there was one."""
    if not settings.stopped.exists():
        return
    # In a process of its own, with the functions' own code and their environment.
    environment = os.environ | exports.variables_of_running(settings)
    with settings.emulator_log.open("ab") as log:
        done = subprocess.run(
            [sys.executable, "-m", "local.hand_back", settings.stopped.read_text()],
            cwd=PROJECT,
            env=environment | {"PYTHONPATH": "functions"},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            check=False,
        )
    if done.returncode:
        log_file = shown(settings.emulator_log)
        say(
            f"Fits that the last stop interrupted wait for their lease to end; {log_file} says why."
        )
        return
    if done.stdout:
        say(done.stdout.rstrip())
    settings.stopped.unlink()
