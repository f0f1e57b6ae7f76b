"""`make deploy`: `sam deploy` with the template's parameters that PARAMETERS names.

    make deploy PARAMETERS='MaxJobs=500 SweepSchedule="rate(10 minutes)"'

As in `make run`, they are words of a shell; brackets and spaces stand in quotes. SAM overlooks a
name that the template does not have: here it is refused, before anything is sent.
"""

import os
import sys
from collections.abc import Mapping

from local import deployment, settings


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Words for --parameter-overrides; SAM takes them apart once more, at spaces."""
    return [f'{name}="{_escaped(value)}"' for name, value in parameters.items()]


def _escaped(value: str) -> str:
    return value.replace('"', '\\"')


def chosen() -> dict[str, str]:
    """PARAMETERS, and the ARCHITECTURE that the layers were built for; raises a refusal."""
    template = deployment.load_template()
    given = settings.from_environment().parameters
    for name, value in given.items():
        deployment.check_parameter(name, value, template["Parameters"])
    return {"Architecture": os.environ.get("ARCHITECTURE") or "x86_64"} | dict(given)


def main(arguments: list[str]) -> int:
    """`python -m local.deploy SAM …`: SAM is the program, the rest are its options."""
    try:
        words = overrides(chosen())
    except (settings.StartRefused, deployment.DeploymentError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    sys.stdout.flush()
    program, *options = arguments
    os.execv(program, [program, "deploy", *options, "--parameter-overrides", *words])  # noqa: S606
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
