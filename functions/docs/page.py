"""The web page: its HTML, and the modules, styles, words and signs that it is made of.

`page/` holds them as they are written. The styles stand in the HTML, and the modules are served as
one, the words of every language among them: two files asked for at once are two functions that
start. Their address has the digest of all of them, so that a browser keeps them for good and never
mixes two versions.
"""

import base64
from functools import cache
from hashlib import sha256
from pathlib import Path

from docs.joined import joined
from kmeans_service.storage import data_bucket

FOLDER = Path(__file__).parent / "page"
LIBRARY = Path(__file__).parent / "lit_html"  # from npm, as ci/vendored.py put it there
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
STYLE = "style.css"
ALL = "app.js"

# The page runs its own files and nothing else, talks to its own host and to the bucket, where files
# go and a 303 leads, and is shown in no other page. Text becomes markup in lit-html alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'sha256-{style}'; img-src 'self'; "
    "connect-src 'self' {bucket} {bucket}/; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)


def html(root: str) -> str:
    """The page as it stands below a root ("/v1", or ""): found with and without its last slash."""
    service = f"{root}/kmeans"
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    page = page.replace("{assets}", f"{service}/page/{version()}").replace("{service}", service)
    return page.replace("{style}", style())


def policy() -> str:
    digest = base64.b64encode(sha256(style().encode()).digest()).decode()
    return POLICY.format(bucket=data_bucket().address, style=digest)


@cache
def style() -> str:
    return (FOLDER / STYLE).read_text(encoding="utf-8")


def sources() -> dict[str, str]:
    """Every module, by its name."""
    paths = (*FOLDER.glob("*.js"), *LIBRARY.rglob("*.js"))
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


@cache
def files() -> dict[str, str]:
    """Every file that a browser may ask for, by its name."""
    signs = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")}
    return {ALL: joined(sources())} | signs


@cache
def version() -> str:
    digest = sha256()
    for name, text in sorted(files().items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:16]
