"""What the service says at its start: every line of it works when it is copied."""

import os
import shlex
from pathlib import Path

from local.disk import free_bytes, size_of
from local.settings import REGION, Settings

UPLOAD = (
    r"printf '1,2\n1,4\n10,2\n10,4\n' "
    "| curl{token} -F 'file=@-;filename=points.csv' {base}/upload"
)
# What there is to try, by access.
TRY = {
    "OPEN": f"""Try:
  {UPLOAD.replace("{token}", "")}""",
    "TOKEN": f"""It is closed. A token of yours, and what it is good for:
  export TOKEN=$({{make}} token ARGS='create --owner alice --label laptop')
  {UPLOAD.replace("{token}", ' -H "Authorization: Bearer $TOKEN"')}""",
    "IAM": f"""It is closed. With the access key of an IAM user of this emulator:
  curl --aws-sigv4 aws:amz:{REGION}:execute-api -u "$KEY:$SECRET" {{base}}/jobs""",
}


def say(line: str) -> None:
    print(line, flush=True)


def shown(path: Path) -> str:
    return os.path.relpath(path)


def welcome(settings: Settings, seconds: float) -> str:
    base = f"http://localhost:{settings.port}/kmeans"
    make = make_command(settings)
    return f"""
Ready after {seconds:.1f} s. Ctrl-C stops it and keeps the data.
  Page         {base}/
  API          {base}
  Swagger UI   {base}/ui/
  Data         {shown(settings.home)}/ {_room(settings.home)}
  S3, DynamoDB, SQS of this service: eval "$({make} env)", then aws s3 ls
{TRY[settings.access].replace("{base}", base).replace("{make}", make)}
"""


def make_command(settings: Settings) -> str:
    """`make`, told of the folder where that is another one: it knows the ports."""
    if settings.home == Settings.home:
        return "make -s"
    return f"LOCAL_HOME={shlex.quote(str(settings.home))} make -s"


def _room(folder: Path) -> str:
    used, free = size_of(folder) / 1e6, free_bytes(folder) / 1e6
    return f"({used:,.0f} MB; {free:,.0f} MB of its disk are free)"
