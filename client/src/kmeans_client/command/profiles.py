"""Which service, and with what token: said, in the environment, or kept in a profile."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kmeans_client.command import screen
from kmeans_client.problems import InvalidInput

if TYPE_CHECKING:
    from kmeans_client.client import Client

LOCAL = "http://localhost:8080/kmeans"
AWS = "aws"


@dataclass(frozen=True)
class Service:
    """Where calls go. `token` may be "aws": calls are signed with the AWS credentials then."""

    url: str
    token: str | None

    def client(self, patience: float = 90) -> "Client":
        from kmeans_client.auth import AwsSignature
        from kmeans_client.client import Client

        if self.token == AWS:
            auth = AwsSignature()
            return Client(self.url, auth=auth, patience=patience, retrying=screen.once())
        return Client(self.url, self.token, patience=patience, retrying=screen.once())


def chosen(url: str | None, token: str | None, profile: str | None) -> Service:
    """What was said comes before the environment, and that before the profile.

    A profile's token goes to the profile's service alone.
    """
    kept = read(profile or os.environ.get("KMEANS_PROFILE") or "default")
    where = url or os.environ.get("KMEANS_URL")
    same = where in (None, kept.get("url"))
    with_token = token or os.environ.get("KMEANS_TOKEN") or (kept.get("token") if same else None)
    return Service(where or kept.get("url") or LOCAL, with_token)


def file() -> Path:
    import platformdirs

    return platformdirs.user_config_path("kmeans") / "profiles.json"


def read(name: str) -> dict[str, str]:
    """Empty where there is none of the name."""
    found = _all().get(name, {})
    return found if isinstance(found, dict) else {}


def keep(name: str, **values: str | None) -> None:
    """Changes a profile; None removes. Only its owner can read the file."""
    profiles = _all()
    changed = {**profiles.get(name, {}), **values}
    profiles[name] = {key: value for key, value in changed.items() if value is not None}
    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        json.dump(profiles, out, indent=2)
    new.replace(path)


def _all() -> dict[str, dict[str, str]]:
    path = file()
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InvalidInput(f"{path} cannot be read as JSON: {error}") from None
    return found if isinstance(found, dict) else {}
