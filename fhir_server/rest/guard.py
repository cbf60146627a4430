"""What is decided before a request is read: hosts and origins under --open, headers on every answer.

A web page elsewhere must not read an open server through the browser of somebody on this machine (DNS rebinding,
cross-site requests): only our own host names are answered and no foreign Origin.
"""

from urllib.parse import urlsplit

import flask

from fhir_server.config import Config
from fhir_server.outcome import Forbidden
from fhir_server.rest import response

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def install(app: flask.Flask, config: Config) -> None:
    """Puts the guard before every request of `app`."""
    if config.open:
        app.before_request(_refuse_strangers)
    app.after_request(_with_headers)


def _refuse_strangers() -> flask.Response | None:
    http = flask.request
    if _name(f"//{http.host}") not in LOOPBACK:
        return response.error(Forbidden("This open server answers only localhost, 127.0.0.1 and [::1]."))
    origin = http.headers.get("Origin")
    if origin is not None and origin != http.host_url.rstrip("/"):
        return response.error(Forbidden("This open server answers no page of another origin."))
    if http.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return response.error(Forbidden("This open server answers no page of another site."))
    return None


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _with_headers(http: flask.Response) -> flask.Response:
    for name, value in HEADERS.items():
        http.headers.setdefault(name, value)
    return http
