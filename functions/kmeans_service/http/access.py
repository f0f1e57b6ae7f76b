"""Whose call it is. Only the gateway's own word counts: it has checked the credentials."""

import re
from collections.abc import Mapping
from typing import Any

from kmeans_service import config, keys
from kmeans_service.errors import Forbidden, Unauthenticated

OWNER = re.compile(keys.OWNER)
ACCOUNT = re.compile(r"[0-9]{12}")
# The unique id of a user, or of a role with the name of the session that plays it; the account's
# root has the account's number.
SIGNER = re.compile(r"(AIDA[A-Z0-9]{8,44}|AROA[A-Z0-9]{8,44}|[0-9]{12})(?::.*)?", re.S)


def owner_of(call: Mapping[str, Any]) -> str:
    """The owner that the `requestContext` of a proxy event names.

    Raises Unauthenticated, or Forbidden for a signer who is neither user nor role: a challenge
    would not help, and API Gateway renames the one that a function sends.
    """
    settings = config.settings()
    if settings.access is config.Access.IAM:
        identity = call.get("identity") or {}
        named = _signer(identity)
        if identity.get("caller") and not named:
            raise Forbidden("Only users and roles own jobs; sign as one of them")
    else:
        named = (call.get("authorizer") or {}).get("owner") or settings.default_owner
    if not isinstance(named, str) or not OWNER.fullmatch(named):
        raise Unauthenticated("The call names no owner; send credentials")
    return named


def _signer(identity: Mapping[str, Any]) -> str:
    """ACCOUNT-ID of the user or role that signed; empty if it is neither, or nobody signed.

    All sessions of a role are one owner: who may play it chooses the session's name at will.
    Source: `aws sts get-caller-identity` calls the two Account and UserId.
    """
    account = str(identity.get("accountId") or "")
    caller = str(identity.get("caller") or "")
    signer = SIGNER.fullmatch(caller)
    if not signer or not ACCOUNT.fullmatch(account):
        return ""
    if ACCOUNT.fullmatch(signer[1]) and caller != account:
        return ""  # a federated user, who is neither the root nor one of the account's users
    return f"{account}-{signer[1]}"
