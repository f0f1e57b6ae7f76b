"""The web page: its HTML, and the modules, styles, words and signs that it is made of.

The files lie in `page/` as they are served, for browsers load modules by themselves. Their address
has the digest of all of them, so that a browser keeps them for good and never mixes two versions.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from kmeans_service.storage import data_bucket

FOLDER = Path(__file__).parent / "page"
LIBRARY = Path(__file__).parent / "lit_html"  # from npm, as ci/vendored.py put it there
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# What is loaded on demand: the browser is not told to fetch it at once.
LATER = ("text.",)

# The page runs its own files and nothing else, talks to its own host and to the bucket, where files
# go and a 303 leads, and is shown in no other page. Text becomes markup in lit-html alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self' {bucket} {bucket}/; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
)


def html(root: str) -> str:
    """The page as it stands below a root ("/v1", or ""): found with and without its last slash."""
    service = f"{root}/kmeans"
    assets = f"{service}/page/{version()}"
    preloads = "\n    ".join(
        f'<link rel="modulepreload" href="{assets}/{name}">'
        for name in sorted(files())
        if name.endswith(".js") and not name.startswith(LATER)
    )
    page = (FOLDER / "index.html").read_text(encoding="utf-8")
    page = page.replace("{preloads}", preloads)
    return page.replace("{assets}", assets).replace("{service}", service)


def policy() -> str:
    return POLICY.format(bucket=data_bucket().address)


@cache
def files() -> dict[str, str]:
    """Every file that a browser may ask for, by its name."""
    paths = [path for path in (*FOLDER.iterdir(), *LIBRARY.iterdir()) if path.suffix in MEDIA_TYPES]
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


@cache
def version() -> str:
    digest = sha256()
    for name, text in sorted(files().items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:16]
