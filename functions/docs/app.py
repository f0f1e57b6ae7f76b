"""What the service says of itself: health, the contract, and Swagger UI with all its files."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

from kmeans_service import __version__, http
from kmeans_service.errors import RouteNotFound, quoted

HERE = Path(__file__).parent
# Swagger UI's files are part of Powertools; its Python module is not imported (it needs pydantic).
ASSETS = {
    "swagger-ui-bundle.min.js": "text/javascript; charset=utf-8",
    "swagger-ui.min.css": "text/css; charset=utf-8",
}

HEALTH = "/kmeans/health"
app = http.resolver(HEALTH)


@app.get(HEALTH)
def health() -> http.Answer:
    http.request(app).accepted(http.JSON)
    return http.json_answer({"status": "ok", "version": __version__})


@app.get("/kmeans/openapi.json")
def openapi() -> http.Answer:
    http.request(app).accepted(http.JSON)
    return http.json_answer((HERE / "openapi.json").read_text())


@app.get("/kmeans/ui")
def page() -> http.Answer:
    """The page finds the rest from its own address, whatever stage or host it is served under."""
    return Response(
        status_code=200,
        content_type="text/html; charset=utf-8",
        body=(HERE / "ui.html").read_text(),
    )


@app.get("/kmeans/ui/<asset>")
def page_asset(asset: str) -> http.Answer:
    if asset not in ASSETS:
        raise RouteNotFound(f"There is nothing at {quoted(app.current_event.path)}")
    return Response(
        status_code=200,
        content_type=ASSETS[asset],
        body=_asset(asset),
        headers={"Cache-Control": "public, max-age=86400"},
    )


@cache
def _asset(name: str) -> str:
    package = files("aws_lambda_powertools") / "event_handler" / "openapi" / "swagger_ui"
    return (package / name).read_text(encoding="utf-8")


lambda_handler = http.lambda_handler(app)
