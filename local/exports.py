"""What a running service tells of itself: ports, bucket, table, queue, as lines for a shell.

They stand in its folder while it runs, and everything that wants to talk to it reads them there:
no port has to be said twice, and no other service can be meant.
"""

import shlex
from dataclasses import replace
from urllib.parse import urlsplit

from local import locks
from local.deployment import Deployed
from local.settings import OWNER, REGION, Settings, StartRefused


def lines(settings: Settings, deployed: Deployed) -> str:
    """Exports that point the AWS CLI, boto3 and the tests at the running service."""
    variables = {
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "DATA_BUCKET": deployed.bucket,
        "JOBS_TABLE": deployed.table,
        "FIT_QUEUE_URL": deployed.queue_url,
        "API_URL": f"http://localhost:{settings.port}",
        **({"OWNER": OWNER} if settings.access == "OPEN" else {}),
    }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def of_running(settings: Settings) -> str:
    """The lines of the service that runs in this folder; raises StartRefused if none does."""
    if not locks.is_held(settings.run_lock) or not settings.exports.exists():
        raise StartRefused(
            f"The service is not running in {settings.home}; start it with `make run`."
        )
    return settings.exports.read_text()


def variables_of_running(settings: Settings) -> dict[str, str]:
    """The same as variables; raises StartRefused."""
    words = shlex.split(of_running(settings))
    return dict(word.split("=", 1) for word in words if word != "export")


def settings_of_running(settings: Settings) -> Settings:
    """The settings with the emulator's port as it is; raises StartRefused."""
    port = urlsplit(variables_of_running(settings)["AWS_ENDPOINT_URL"]).port
    return replace(settings, emulator_port=port or settings.emulator_port)
