"""The page for people at `/`, and the two answers for machines: is it alive, is it ready."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import flask

from fhir_server import fhirjson, status
from fhir_server.context import Context
from fhir_server.visible import visible

JST = timezone(timedelta(hours=9), "JST")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}
CLOSED = "認証がまだないため、このページは --open の試用時だけ表示します。\nThis page is shown only under --open.\n"
_STYLE = Path(__file__).with_name("static") / "style.css"


def blueprint(context: Context) -> flask.Blueprint:
    """Returns the page and the health answers as a Flask blueprint."""
    web = flask.Blueprint("web", __name__, template_folder="templates")
    web.add_app_template_filter(clock)
    web.add_app_template_filter(visible)

    @web.get("/")
    def index() -> flask.Response:
        return page(context, "status.html", status=status.read(context.store, context.now()))

    @web.get("/style.css")
    def style() -> flask.Response:
        return flask.send_file(_STYLE, mimetype="text/css", max_age=3600)

    @web.get("/health/live")
    def live() -> flask.Response:
        return _answer(200, {"alive": True})

    @web.get("/health/ready")
    def ready() -> flask.Response:
        parts = status.ready(context.store, context.now())
        return _answer(200 if all(parts.values()) else 503, parts)

    return web


def page(context: Context, template: str, **facts: object) -> flask.Response:
    """Returns a page for people, or its refusal: until there is authorization, pages are for the trial alone."""
    if not context.config.open:
        return flask.Response(CLOSED, 401, HEADERS, mimetype="text/plain")
    return flask.Response(flask.render_template(template, settings=context.config, **facts), headers=HEADERS)


def clock(moment: datetime | None) -> str:
    """Returns a time as people in Japan read it: `2026-04-01 09:00:00`."""
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}" if moment else "—"


def _answer(code: int, content: Mapping[str, bool]) -> flask.Response:
    return flask.Response(fhirjson.encode(content) + b"\n", code, mimetype="application/json")
