"""The entries of a batch or transaction, read as requests.

https://hl7.org/fhir/R4/bundle.html#bundle-unique · https://hl7.org/fhir/R4/http.html#transaction
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fhir_server.bundle.links import Links, linked
from fhir_server.context import Context
from fhir_server.exchange import Request, version_in
from fhir_server.fhirjson import Resource
from fhir_server.outcome import BadRequest, FHIRError, NotSupported

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
ABSOLUTE = re.compile(r"(?:urn:(?:uuid|oid):|https?://)\S+")
# What stands before `Type/id` in a fullUrl that is an address.
BASE = re.compile(r"(https?://\S*/)[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


def request(entry: Any, place: str, parent: Request, context: Context) -> Request:
    """Returns what one entry asks for, with its `place`. Raises the FHIRError that names what is wrong with it."""
    said = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(said, dict):
        raise BadRequest("The entry has no request.", expression=f"{place}.request")
    method, url = _verb(said, place), _text(said, "url", place)
    blank = Request("", parent.caller, parent.base, prefer=parent.prefer, place=place,
                    resource=_resource(entry, place), **_preconditions(said, place))
    try:
        return context.resolve(method, _relative(url, parent.base), blank)
    except FHIRError as error:
        raise error.within(f"{place}.request.url") from None


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
    if "ifModifiedSince" in said:
        raise NotSupported("ifModifiedSince is not supported.", expression=f"{place}.request.ifModifiedSince")
    version = version_in(str(said.get("ifMatch", "")))
    if "ifMatch" in said and version is None:
        raise BadRequest(f"ifMatch is {str(said['ifMatch'])[:60]!r}; a version is written W/\"3\".",
                         expression=f"{place}.request.ifMatch")
    return {"if_match": version, "if_none_match": str(said.get("ifNoneMatch", "")),
            "if_none_exist": str(said.get("ifNoneExist", ""))}


def with_ids(entries: Sequence[Mapping[str, Any]], requests: Sequence[Request], context: Context) -> list[Request]:
    """Returns the requests with ids for what is created, and every link among the entries made literal.

    Raises BadRequest for a fullUrl that is none or stands twice, and for a link that leads nowhere.
    """
    named = [replace(one, id=context.new_id()) if one.interaction == "create" else one for one in requests]
    ids = _ids(entries, named)
    return [_with_links(entry, one, ids) for entry, one in zip(entries, named)]


def _with_links(entry: Mapping[str, Any], request: Request, ids: Mapping[str, str]) -> Request:
    if request.resource is None:
        return request
    base = BASE.fullmatch(entry.get("fullUrl") or "")
    links = Links(ids, base[1] if base else "")
    return replace(request, resource=linked(request.resource, links, f"{request.place}.resource"))


def _ids(entries: Sequence[Mapping[str, Any]], requests: Sequence[Request]) -> dict[str, str]:
    ids: dict[str, str] = {}
    for entry, one in zip(entries, requests):
        url = entry.get("fullUrl")
        if url is None:
            continue
        if not isinstance(url, str) or not ABSOLUTE.fullmatch(url):
            raise BadRequest(f"The fullUrl {str(url)[:80]!r} is no absolute URI.", expression=f"{one.place}.fullUrl")
        if url in ids:
            raise BadRequest(f"The fullUrl {url[:80]} stands twice.", expression=f"{one.place}.fullUrl")
        if one.interaction in ("create", "update"):
            ids[url] = f"{one.type}/{one.id}"
    return ids
