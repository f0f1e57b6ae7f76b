"""The web page; and what the service says of itself: links, health, the contract, Swagger UI."""

import base64
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from docs import page as web
from kmeans_service import __version__
from kmeans_service.http import answers, routing
from kmeans_service.media_types import JSON
from kmeans_service.storage import data_bucket

HERE = Path(__file__).parent
# From npm, as ci/vendored.py put them there.
SWAGGER_UI = HERE / "swagger_ui"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
}

# The page runs what comes with it and nothing else, talks to its own host and to the bucket, where
# a 303 leads, and is shown in no other page. Swagger UI makes style attributes, and images of data.
POLICY = (
    "default-src 'none'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self' {bucket} {bucket}/; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HTML = "text/html"
ROOT = "/kmeans"
HEALTH = "/kmeans/health"
FILES = "/kmeans/page"
# Not counted: the function touches no data, the table included.
app = routing.resolver(ROOT, HEALTH, f"{FILES}/", counted=False)


@app.route(ROOT, routing.READ)
def root() -> answers.Answer:
    """Whoever comes to the service's own address: a browser gets its page, a program its links."""
    request = routing.request(app)
    service = f"{request.root}{ROOT}/"
    if request.accepted(JSON, HTML) == HTML:
        return _html(web.html(request.root), web.policy())
    links = {"self": "", "ui": "ui/", "openapi": "openapi.json", "health": "health", "jobs": "jobs"}
    return answers.json_answer(
        {
            "title": "K-means as a serverless service",
            "version": __version__,
            "links": {name: service + path for name, path in links.items()},
        }
    )


@app.route(HEALTH, routing.READ)
def health() -> answers.Answer:
    routing.request(app).accepted(JSON)
    return answers.json_answer({"status": "ok", "version": __version__})


@app.route("/kmeans/openapi.json", routing.READ)
def openapi() -> answers.Answer:
    routing.request(app).accepted(JSON)
    return answers.json_answer((HERE / "openapi.json").read_text())


@app.route("/kmeans/ui", routing.READ)
def page() -> answers.Answer:
    """The page finds the rest from its own address, whatever stage or host it is served under."""
    policy = POLICY.format(scripts=_digests(_page()), bucket=data_bucket().address)
    return _html(_page(), policy)


def _html(page: str, policy: str) -> answers.Answer:
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return Response(
        status_code=200, content_type="text/html; charset=utf-8", body=page, headers={**headers}
    )


@cache
def _page() -> str:
    return (HERE / "ui.html").read_text(encoding="utf-8")


def _digests(page: str) -> str:
    """The scripts that stand in the page itself, as a policy names them."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = (base64.b64encode(sha256(script.encode()).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


@app.route("/kmeans/ui/<asset>", routing.READ)
def page_asset(asset: str) -> answers.Answer:
    if asset not in ASSETS:
        raise routing.nothing_here(app)
    return _file(_asset(asset), ASSETS[asset], "public, max-age=86400")


def _file(text: str, media_type: str, kept: str) -> answers.Answer:
    return Response(
        status_code=200, content_type=media_type, body=text, headers={"Cache-Control": kept}
    )


@cache
def _asset(name: str) -> str:
    return (SWAGGER_UI / name).read_text(encoding="utf-8")


@app.route(f"{FILES}/<version>/<asset>", routing.READ)
def web_file(version: str, asset: str) -> answers.Answer:
    """A file of the web page; of this version, for two would not fit together."""
    if version != web.version() or asset not in web.files():
        raise routing.nothing_here(app)
    media_type = web.MEDIA_TYPES[f".{asset.rpartition('.')[2]}"]
    return _file(web.files()[asset], media_type, "public, max-age=31536000, immutable")


lambda_handler = routing.lambda_handler(app)
