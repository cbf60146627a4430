"""HTTP → Request: format, body, preconditions, preferences.

https://hl7.org/fhir/R4/http.html#mime-type · #ops · https://hl7.org/fhir/R4/json.html
"""

import re

import flask
from werkzeug.exceptions import RequestEntityTooLarge

from fhir_server.access.caller import ANONYMOUS, OPEN, Caller
from fhir_server.access.condition import condition
from fhir_server.config import Config
from fhir_server.exchange import Request, pairs, version_in
from fhir_server.fhirjson import DecodeError, Resource, decode
from fhir_server.outcome import BadRequest, NotAcceptable, NotSupported, TooLarge, UnsupportedMediaType
from fhir_server.rest.routes import Resolve

JSON = "application/fhir+json"
JSON_TYPES = frozenset((JSON, "application/json", "text/json", "json"))
ANY = frozenset(("", "*/*", "application/*", "text/html"))
FORM = "application/x-www-form-urlencoded"
# A search has at most so much text; each of its bytes may be written as three.
FORM_LIMIT = 300_000
# Members and items: what bytes become in memory is bounded too.
PARTS_LIMIT = 5_000_000


def read_request(http: flask.Request, path: str, config: Config, resolve: Resolve, base: str) -> Request:
    """Returns what the HTTP request asks for. Raises the FHIRError that says what of it cannot be understood."""
    url = path + ("?" + http.query_string.decode("latin-1") if http.query_string else "")
    start = Request("", _caller(config), base, prefer=_prefer(http.headers.get("Prefer", "")))
    method = "GET" if http.method == "HEAD" else http.method
    request = resolve(method, url, start)
    if request.interaction not in OPEN_TO_ALL:
        # Before anything of the body is read: who may do nothing shall cost nothing.
        condition(request.caller)
    _check_format(http, request)
    return Request(
        **{
            **vars(request),
            "query": tuple(pair for pair in (*request.query, *_form(http, request)) if pair[0] not in FORMATTING),
            "resource": _resource(http, request),
            "if_match": _if_match(http.headers.get("If-Match")),
            "if_none_match": http.headers.get("If-None-Match", "").strip(),
            "if_none_exist": http.headers.get("If-None-Exist", ""),
        }
    )


OPEN_TO_ALL = frozenset(("capabilities",))
FORMATTING = frozenset(("_format", "_pretty"))


def _caller(config: Config) -> Caller:
    return OPEN if config.open else ANONYMOUS


def _check_format(http: flask.Request, request: Request) -> None:
    asked = dict(request.query).get("_format")
    wanted = [asked] if asked else [one.partition(";")[0].strip() for one in http.headers.get("Accept", "").split(",")]
    # A blank in a query is how an unescaped + of application/fhir+json arrives.
    if not any(one.replace(" ", "+") in JSON_TYPES or one in ANY for one in wanted):
        raise NotAcceptable(f"{', '.join(wanted)[:100]} cannot be had; {JSON} can.")


def _form(http: flask.Request, request: Request) -> list[tuple[str, str]]:
    if request.interaction != "search-type" or http.method != "POST":
        return []
    if http.mimetype != FORM:
        raise UnsupportedMediaType(f"A search by POST is {FORM}, not {http.mimetype[:60] or 'without a type'}.")
    if (http.content_length or 0) > FORM_LIMIT:
        raise TooLarge(f"The form is larger than {FORM_LIMIT} bytes.")
    try:
        return pairs(_body(http, FORM_LIMIT).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest("The form is not UTF-8.") from error


def _resource(http: flask.Request, request: Request) -> Resource | None:
    if request.interaction not in WITH_RESOURCE:
        return None
    if http.mimetype not in JSON_TYPES:
        raise UnsupportedMediaType(f"Content-Type is {http.mimetype[:60] or 'missing'}; {JSON} is understood.")
    if http.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType("A body with a Content-Encoding is not understood.")
    return parse_resource(_body(http))


WITH_RESOURCE = frozenset(("create", "update", "transaction"))


def _body(http: flask.Request, limit: int | None = None) -> bytes:
    if limit:
        http.max_content_length = limit
    try:
        body = http.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLarge(f"The request is larger than the limit of {http.max_content_length} bytes.") from error
    if http.content_length is not None and len(body) != http.content_length:
        raise BadRequest(f"The body has {len(body)} bytes where Content-Length says {http.content_length}.")
    return body


def parse_resource(raw: bytes) -> Resource:
    """Returns the JSON object in `raw`. Raises BadRequest that says where the text stops being JSON."""
    if not raw:
        raise BadRequest("The body is empty.")
    if sum(map(raw.count, (b",", b"{", b"["))) > PARTS_LIMIT:
        raise TooLarge(f"The body has more than {PARTS_LIMIT} members and items.")
    try:
        resource = decode(raw)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"This is not well-formed JSON: {error}.") from error
    except RecursionError:
        raise BadRequest("The JSON is nested too deeply.") from None
    if not isinstance(resource, dict):
        raise BadRequest("A resource is a JSON object.")
    return resource


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
