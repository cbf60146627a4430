"""The entries of a batch or transaction, read as requests.

https://hl7.org/fhir/R4/bundle.html#bundle-unique · https://hl7.org/fhir/R4/http.html#transaction
"""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fhir_server.bundle.links import Links, linked
from fhir_server.context import Context
from fhir_server.exchange import Request, version_in
from fhir_server.fhirjson import DecodeError, Resource, decode
from fhir_server.outcome import BadRequest, FHIRError, UnsupportedMediaType
from fhir_server.patch.patch import MEDIA_TYPES

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ABSOLUTE = re.compile(r"(?:urn:(?:uuid|oid):|https?://)\S+")
# What stands before `Type/id` in a fullUrl that is an address.
BASE = re.compile(r"(https?://\S*/)[A-Z][A-Za-z]+/([A-Za-z0-9\-.]{1,64})")


def request(entry: Any, place: str, parent: Request, context: Context) -> Request:
    """Returns what one entry asks for, with its `place`. Raises the FHIRError that names what is wrong with it."""
    said = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(said, dict):
        raise BadRequest("The entry has no request.", expression=f"{place}.request")
    method, url = _verb(said, place), _text(said, "url", place)
    blank = Request("", parent.caller, parent.base, prefer=parent.prefer, place=place, head=method == "HEAD",
                    resource=_resource(entry, place), **_preconditions(said, place))
    try:
        found = context.resolve("GET" if method == "HEAD" else method, _relative(url, parent.base), blank)
    except FHIRError as error:
        raise error.within(f"{place}.request.url") from None
    return _with_patch(found) if found.interaction == "patch" else found


def _verb(said: Mapping[str, Any], place: str) -> str:
    method = _text(said, "method", place)
    if method not in VERBS:
        raise BadRequest(f"{method[:20]!r} is no HTTP verb of FHIR.", expression=f"{place}.request.method")
    return method


def _text(said: Mapping[str, Any], name: str, place: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"The entry has no request.{name}.", expression=f"{place}.request.{name}")
    return value


def _relative(url: str, base: str) -> str:
    return url.removeprefix(base + "/").removeprefix("/")


def _resource(entry: Mapping[str, Any], place: str) -> Resource | None:
    resource = entry.get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise BadRequest("The resource is no JSON object.", expression=f"{place}.resource")
    return resource


def _preconditions(said: Mapping[str, Any], place: str) -> dict[str, Any]:
    version = version_in(str(said.get("ifMatch", "")))
    if "ifMatch" in said and version is None:
        raise BadRequest(f"ifMatch is {str(said['ifMatch'])[:60]!r}; a version is written W/\"3\".",
                         expression=f"{place}.request.ifMatch")
    return {"if_match": version, "if_none_match": str(said.get("ifNoneMatch", "")),
            "if_none_exist": str(said.get("ifNoneExist", "")), "if_modified_since": _since(said, place)}


def _since(said: Mapping[str, Any], place: str) -> datetime | None:
    if "ifModifiedSince" not in said:
        return None
    try:
        since = datetime.fromisoformat(str(said["ifModifiedSince"]))
    except ValueError:
        since = None
    if since is None or since.tzinfo is None:
        raise BadRequest(f"ifModifiedSince is {str(said['ifModifiedSince'])[:60]!r}, which is no instant.",
                         expression=f"{place}.request.ifModifiedSince")
    return since


def _with_patch(request: Request) -> Request:
    """A patch in JSON comes in a Binary, a FHIRPath Patch as it is: https://hl7.org/fhir/R4/http.html#patch"""
    resource = request.resource or {}
    if resource.get("resourceType") != "Binary":
        return replace(request, patch="fhirpath")
    kind = MEDIA_TYPES.get(str(resource.get("contentType")).partition(";")[0].strip())
    if kind is None:
        raise UnsupportedMediaType(f"A patch in a Binary is one of {', '.join(MEDIA_TYPES)}.",
                                   expression=f"{request.place}.resource.contentType")
    try:
        return replace(request, patch=kind, resource=decode(b64decode(str(resource.get("data")), validate=True)))
    except (ValueError, DecodeError, RecursionError):
        raise BadRequest("The Binary holds no JSON.", expression=f"{request.place}.resource.data") from None


def check_urls(entries: Sequence[Mapping[str, Any]], requests: Sequence[Request]) -> None:
    """Raises BadRequest for a fullUrl that is none, stands twice, or names another id than its resource."""
    seen = set()
    for entry, one in zip(entries, requests):
        url = entry.get("fullUrl")
        if url is None:
            continue
        if not isinstance(url, str) or not ABSOLUTE.fullmatch(url):
            raise BadRequest(f"The fullUrl {str(url)[:80]!r} is no absolute URI.", expression=f"{one.place}.fullUrl")
        if "/_history/" in url:
            raise BadRequest("A fullUrl names no version.", expression=f"{one.place}.fullUrl")
        if url in seen:
            raise BadRequest(f"The fullUrl {url[:80]} stands twice.", expression=f"{one.place}.fullUrl")
        _check_id(url, one)
        seen.add(url)


def _check_id(url: str, request: Request) -> None:
    address = BASE.fullmatch(url)
    if address and request.interaction == "update" and request.id not in ("", address[2]):
        raise BadRequest(f"The fullUrl {url[:80]} and the URL name different ids.",
                         expression=f"{request.place}.fullUrl")


def with_links(entry: Mapping[str, Any], request: Request, links: Links) -> Request:
    """Returns the request with every link to another entry, and every conditional reference, made literal.

    Raises BadRequest for a link that leads nowhere, and what `links.match` raises.
    """
    if request.resource is None:
        return request
    base = BASE.fullmatch(entry.get("fullUrl") or "")
    near = replace(links, base=base[1]) if base else links
    return replace(request, resource=linked(request.resource, near, f"{request.place}.resource"))
