"""HTTP → Request: body, preconditions, preferences.

https://hl7.org/fhir/R4/http.html#ops · https://hl7.org/fhir/R4/json.html
"""

import re
from dataclasses import replace
from functools import lru_cache
from typing import Any

import flask
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_date
from werkzeug.sansio.utils import get_current_url

from fhir_server.access.caller import ANONYMOUS, OPEN
from fhir_server.access.condition import condition
from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.exchange import Request, pairs, version_in
from fhir_server.fhirjson import DecodeError, Resource, decode
from fhir_server.fhirxml import Xml
from fhir_server.outcome import BadRequest, NotSupported, TooLarge, UnsupportedMediaType
from fhir_server.patch.patch import MEDIA_TYPES
from fhir_server.rest import formats
from fhir_server.rest.encoding import decoded
from fhir_server.rest.formats import Format
from fhir_server.rest.routes import with_query

FORM = "application/x-www-form-urlencoded"
# A search has at most so much text; each of its bytes may be written as three.
FORM_LIMIT = 300_000
# Members and items: what bytes become in memory is bounded too.
PARTS_LIMIT = 5_000_000

WITH_RESOURCE = frozenset(("create", "update", "patch", "transaction"))
OPEN_TO_ALL = frozenset(("capabilities",))


def read_request(http: flask.Request, path: str, context: Context, xml: Xml) -> tuple[Request, Format]:
    """Returns what the HTTP request asks for, and how to write the answer.

    Raises the FHIRError that says what of it cannot be understood or answered.
    """
    url = f"{path}?{http.query_string.decode('latin-1')}" if http.query_string else path
    method = "GET" if http.method == "HEAD" else http.method
    request = context.resolve(method, url, _start(http, context.config))
    if request.interaction not in OPEN_TO_ALL:
        # Before anything of the body is read: who may do nothing shall cost nothing.
        condition(request.caller)
    if method == "POST" and request.interaction.startswith("search"):
        request = with_query(request, _form(http))
    form = formats.wanted(http.environ.get("HTTP_ACCEPT", ""), request.shown)
    if request.interaction in WITH_RESOURCE or _asks_by_body(request, http):
        request = _with_resource(request, http, xml)
    return request, form


def _start(http: flask.Request, config: Config) -> Request:
    said = http.environ.get
    since = said("HTTP_IF_MODIFIED_SINCE")
    prefer = said("HTTP_PREFER")
    return Request(
        "",
        OPEN if config.open else ANONYMOUS,
        config.base_url or _base(http.scheme, said("HTTP_HOST") or http.host),
        if_match=_if_match(said("HTTP_IF_MATCH")),
        if_none_match=said("HTTP_IF_NONE_MATCH", "").strip(),
        if_modified_since=parse_date(since) if since else None,
        if_none_exist=said("HTTP_IF_NONE_EXIST", ""),
        prefer=_prefer(prefer) if prefer else {},
    )


@lru_cache(64)
def _base(scheme: str, host: str) -> str:
    return get_current_url(scheme, host) + "fhir"


def _asks_by_body(request: Request, http: flask.Request) -> bool:
    """An operation may be posted with its parameters in the URL alone."""
    sent = bool(http.content_length or "HTTP_TRANSFER_ENCODING" in http.environ)
    return sent and http.method == "POST" and request.interaction.startswith("$")


def _form(http: flask.Request) -> list[tuple[str, str]]:
    if http.mimetype != FORM:
        raise UnsupportedMediaType(f"A search by POST is {FORM}, not {http.mimetype[:60] or 'without a type'}.")
    if (http.content_length or 0) > FORM_LIMIT:
        raise TooLarge(f"The form is larger than {FORM_LIMIT} bytes.")
    try:
        return pairs(_body(http, FORM_LIMIT).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not UTF-8.") from error


def _with_resource(request: Request, http: flask.Request, xml: Xml) -> Request:
    is_patch = request.interaction == "patch"
    kind = formats.sent(http.environ.get("CONTENT_TYPE", ""), MEDIA_TYPES if is_patch else {})
    body = _body(http)
    if not body:
        raise BadRequest("The body is empty.")
    if kind == formats.XML:
        sent: Any = xml.read(body)
    else:
        sent = parse_json(body) if is_patch else parse_resource(body)
    if not is_patch:
        return replace(request, resource=sent)
    return replace(request, resource=sent, patch="fhirpath" if kind in formats.TYPES else kind)


def _body(http: flask.Request, limit: int | None = None) -> bytes:
    if limit:
        http.max_content_length = limit
    try:
        body = http.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"The request is larger than the limit of {http.max_content_length} bytes.") from error
    if http.content_length is not None and len(body) != http.content_length:
        raise BadRequest(f"The body has {len(body)} bytes where Content-Length says {http.content_length}.")
    encoding = http.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower()
    return body if encoding == "identity" else decoded(body, encoding, http.max_content_length or len(body))


def parse_resource(raw: bytes) -> Resource:
    """Returns the JSON object in `raw`. Raises BadRequest that says where the text stops being JSON."""
    resource = parse_json(raw)
    if not isinstance(resource, dict):
        raise BadRequest("A resource is a JSON object.")
    return resource


def parse_json(raw: bytes) -> Any:
    """Returns the JSON in `raw`. Raises BadRequest that says where the text stops being JSON."""
    if sum(map(raw.count, (b",", b"{", b"["))) > PARTS_LIMIT:
        raise TooLarge(f"The body has more than {PARTS_LIMIT} members and items.")
    try:
        return decode(raw)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"This is not well-formed JSON: {error}.") from error
    except RecursionError:
        raise BadRequest("The JSON is nested too deeply.") from None


def _if_match(text: str | None) -> int | None:
    if text is None:
        return None
    version = version_in(text)
    if version is None:
        raise BadRequest(f'If-Match is {text[:60]!r}; a version is written W/"3".')
    return version


def _prefer(text: str) -> dict[str, str]:
    """`return=minimal; handling=lenient` → its parts. Raises NotSupported for a value FHIR does not know."""
    said = dict(part.strip().partition("=")[::2] for part in re.split("[;,]", text) if part.strip())
    for name, value in said.items():
        if name in PREFERENCES and value not in PREFERENCES[name]:
            raise NotSupported(f"Prefer: {name}={value[:40]} is not known; known are {', '.join(PREFERENCES[name])}.")
    return said


PREFERENCES = {"return": ("minimal", "representation", "OperationOutcome"), "handling": ("strict", "lenient")}
