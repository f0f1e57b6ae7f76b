"""API tokens: 256 random bits, known to the table by their SHA-256 alone.

    pk           sk          what
    T#{sha256}   TOKEN       owner; expires_at if it ends by itself. What the authorizer reads
    TOKENS       {token_id}  owner, label, created_at, sha256; revoked_at. What the list shows

A revoked token's first item is gone, so nothing that may only read T# can tell it ever was.
"""

import hashlib
import re
import secrets
import time

from kmeans_service.table import queries
from kmeans_service.table.keys import token_key
from kmeans_service.table.values import unmarshal

TOKEN = re.compile(r"km_[A-Za-z0-9_-]{43}")


def new_token() -> str:
    return f"km_{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """Enough as it is: nobody can try out 256 random bits, so no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def owner_of(token: str) -> str | None:
    """Whose token it is; None if it was never made, is revoked or has expired.

    The digest is looked up, never compared, so the time this takes tells nothing of a token.
    """
    if not TOKEN.fullmatch(token):
        return None
    item = unmarshal(queries.get_item(token_key(digest(token))) or {})
    if not item or item.get("expires_at", float("inf")) <= time.time():
        return None
    owner: str = item["owner"]
    return owner
