"""`python -m local run` and `python -m local env`, behind `make run` and `make env`."""

import sys

from local import deployment, settings, stack

COMMANDS = {"run": stack.run, "env": stack.show_exports}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m local {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        COMMANDS[arguments[0]](settings.from_environment())
    except (settings.StartRefused, deployment.DeploymentError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
