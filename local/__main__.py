"""`python -m local run`, `env` and `recover`, behind `make run`, `make env` and `make recover`."""

import sys

from local import code, deployment, settings, stack

COMMANDS = {"run": stack.run, "env": stack.show_exports, "recover": stack.show_recovery}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python -m local {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        COMMANDS[arguments[0]](settings.from_environment())
    except (settings.StartRefused, deployment.DeploymentError, code.CodeError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:  # a disk that is full or cannot be written
        print(f"{error.filename or 'The service'}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
