"""What is decided before a request is read: hosts and origins under --open, headers on every answer.

A web page elsewhere must not read an open server through the browser of somebody on this machine (DNS rebinding,
cross-site requests): only our own host names are answered, and no foreign Origin but those named in the settings.
https://hl7.org/fhir/R4/security.html#cors · https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Set
from functools import lru_cache, partial
from urllib.parse import urlsplit

import flask
from flask.globals import request_ctx

from fhir_server.config import Config
from fhir_server.outcome import Forbidden
from fhir_server.rest import response

# What a page of a named origin may send, and may see of an answer. No cookie is ever looked at.
SENT = ("Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, "
        "X-Requested-With")
SEEN = "Allow, Content-Location, ETag, Last-Modified, Location, Preference-Applied"
PREFLIGHT_SECONDS = "600"

LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def install(app: flask.Flask, config: Config) -> None:
    """Puts the guard before every request of `app`."""
    named = frozenset(config.cors_origins)
    if config.open:
        app.before_request(partial(_refuse_strangers, named))
    app.after_request(_with_headers)
    if named:
        app.after_request(partial(_share, named))


def _refuse_strangers(named: Set[str]) -> flask.Response | None:
    http = request_ctx.request
    if _name(http.environ.get("HTTP_HOST") or http.host) not in LOOPBACK:
        return response.error(Forbidden("This open server answers only localhost, 127.0.0.1 and [::1]."))
    origin = http.environ.get("HTTP_ORIGIN")
    if origin in named:
        return None
    if origin is not None and origin != http.host_url.rstrip("/"):
        return response.error(Forbidden("This open server answers no page of another origin."))
    if http.environ.get("HTTP_SEC_FETCH_SITE") in ("cross-site", "same-site"):
        return response.error(Forbidden("This open server answers no page of another site."))
    return None


@lru_cache(64)
def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _with_headers(http: flask.Response) -> flask.Response:
    if not isinstance(http, response.Answer):
        for name, value in response.SAFE:
            http.headers.setdefault(name, value)
    return http


def _share(named: Set[str], http: flask.Response) -> flask.Response:
    """Lets pages of the named origins see answers of the API."""
    asked = flask.request
    if not asked.path.startswith("/fhir"):
        return http
    http.headers["Vary"] = ", ".join(filter(None, (http.headers.get("Vary"), "Origin")))
    origin = asked.headers.get("Origin")
    if origin not in named:
        return http
    http.headers.update({"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": SEEN})
    if asked.method == "OPTIONS" and "Access-Control-Request-Method" in asked.headers:
        http.headers.update({
            "Access-Control-Allow-Methods": http.headers.get("Allow", ""),
            "Access-Control-Allow-Headers": SENT,
            "Access-Control-Max-Age": PREFLIGHT_SECONDS,
        })
    return http
