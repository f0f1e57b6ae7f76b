"""`make deploy`: `sam deploy` with the template's parameters that PARAMETERS names.

    make deploy PARAMETERS='MaxJobs=500 SweepSchedule="rate(10 minutes)"'

As in `make run`, they are words of a shell; brackets and spaces stand in quotes. SAM overlooks a
name that the template does not have: here it is refused, before anything is sent. So is what make
was told beside PARAMETERS, ACCESS=IAM or MaxJobs=500, which would be overlooked as well.
"""

import os
import sys
from collections.abc import Iterable, Mapping

from local import deployment, settings
from local.template import load_template

# What `make run` calls by other names than the template.
OF_RUN = {
    "ACCESS": "Access",
    "FIT_CONCURRENCY": "WorkerConcurrency",
    "WORKER_TIMEOUT": "WorkerTimeout",
}


class NotAParameter(Exception):
    """It stands beside PARAMETERS; the message is the sentence the user sees."""


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Words for --parameter-overrides; SAM takes them apart once more, at spaces."""
    return [f'{name}="{_escaped(value)}"' for name, value in parameters.items()]


def _escaped(value: str) -> str:
    return value.replace('"', '\\"')


def chosen() -> dict[str, str]:
    """PARAMETERS, and the ARCHITECTURE that the layers were built for; raises a refusal."""
    declared = load_template()["Parameters"]
    check_nothing_beside(declared)
    given = settings.from_environment().parameters
    for name, value in given.items():
        deployment.check_parameter(name, value, declared)
    built_for = os.environ.get("ARCHITECTURE") or "x86_64"
    wanted = given.get("Architecture", built_for)
    if wanted != built_for:
        raise NotAParameter(
            f"The layers were built for {built_for}; say make deploy ARCHITECTURE={wanted}."
        )
    return {"Architecture": built_for} | dict(given)


def check_nothing_beside(declared: Iterable[str]) -> None:
    """make hands on what it is told, `make deploy MaxJobs=500`, in the environment."""
    for name, meant in {**OF_RUN, **{name: name for name in declared}}.items():
        if value := os.environ.get(name):
            raise NotAParameter(
                f"make deploy takes no {name}={value}; say PARAMETERS='{meant}={value}'."
            )


def main(arguments: list[str]) -> int:
    """`python -m local.deploy SAM …`: SAM is the program, the rest are its options."""
    try:
        words = overrides(chosen())
    except (settings.StartRefused, deployment.DeploymentError, NotAParameter) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    sys.stdout.flush()
    program, *options = arguments
    os.execv(program, [program, "deploy", *options, "--parameter-overrides", *words])  # noqa: S606
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
