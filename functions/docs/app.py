"""What the service says of itself: where what is, health, the contract, and Swagger UI."""

import base64
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from kmeans_service import __version__
from kmeans_service.http import answers, routing
from kmeans_service.media_types import JSON
from kmeans_service.storage import data_bucket

HERE = Path(__file__).parent
# From npm, as ci/swagger_ui.py put them there.
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
# Not counted: the function touches no data, the table included.
app = routing.resolver(ROOT, HEALTH, counted=False)


@app.route(ROOT, routing.READ)
def root() -> answers.Answer:
    """Whoever comes to the service's own address: a browser to its page, a program to its links."""
    request = routing.request(app)
    service = f"{request.root}{ROOT}/"
    if request.accepted(JSON, HTML) == HTML:
        return answers.see_other(f"{service}ui/")
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
    return Response(
        status_code=200,
        content_type="text/html; charset=utf-8",
        body=_page(),
        headers={
            "Content-Security-Policy": POLICY.format(
                scripts=_digests(_page()), bucket=data_bucket().address
            ),
            "Referrer-Policy": "no-referrer",
        },
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
    return Response(
        status_code=200,
        content_type=ASSETS[asset],
        body=_asset(asset),
        headers={"Cache-Control": "public, max-age=86400"},
    )


@cache
def _asset(name: str) -> str:
    return (SWAGGER_UI / name).read_text(encoding="utf-8")


lambda_handler = routing.lambda_handler(app)
