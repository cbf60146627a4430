"""batch and transaction: https://hl7.org/fhir/R4/http.html#transaction"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fhir_server.access.condition import condition
from fhir_server.bundle import entry as bundle_entry
from fhir_server.bundle.page import page, response_entry
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import encode, instant
from fhir_server.interactions import write
from fhir_server.outcome import BadRequest, FHIRError, NotSupported, TooLarge
from fhir_server.transact import transact

WRITES = frozenset(("create", "update", "delete"))


def transaction(request: Request, context: Context) -> Response:
    """Runs a Bundle of type batch (each entry for itself) or transaction (all or nothing)."""
    condition(request.caller)
    bundle = request.resource or {}
    if bundle.get("resourceType") != "Bundle":
        raise BadRequest("What is posted to the base is a Bundle.", expression="Bundle.resourceType")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadRequest("Bundle.entry is no list.", expression="Bundle.entry")
    if len(entries) > context.config.entry_limit:
        raise TooLarge(f"The Bundle has {len(entries)} entries; the limit is {context.config.entry_limit}.",
                       expression="Bundle.entry")
    run = KINDS.get(str(bundle.get("type")))
    if run is None:
        raise BadRequest(f"A Bundle of type {str(bundle.get('type'))[:40]!r} is no batch and no transaction.",
                         expression="Bundle.type")
    return run(entries, request, context)


def _batch(entries: Sequence[Any], request: Request, context: Context) -> Response:
    answers = [_alone(entry, f"Bundle.entry[{i}]", request, context) for i, entry in enumerate(entries)]
    return Response(200, page("batch-response", answers, ()))


def _alone(entry: Any, place: str, parent: Request, context: Context) -> bytes:
    try:
        one = bundle_entry.request(entry, place, parent, context)
        _refuse_nesting(one)
    except FHIRError as error:
        return _refusal(error)
    return _dispatched(one, context)


def _dispatched(request: Request, context: Context) -> bytes:
    try:
        return _answer(context.dispatch(request, context), request)
    except FHIRError as error:
        return _refusal(error)


def _refusal(error: FHIRError) -> bytes:
    return response_entry(_status(error.status), "", "", "", encode(error.as_fhir()), error=True)


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"


def _transaction(entries: Sequence[Any], request: Request, context: Context) -> Response:
    asked = [bundle_entry.request(entry, f"Bundle.entry[{i}]", request, context) for i, entry in enumerate(entries)]
    for one in asked:
        _refuse_nesting(one)
    requests = bundle_entry.with_ids(entries, asked, context)
    written = _write(requests, context)
    # What is read sees what was written: https://hl7.org/fhir/R4/http.html#trules. By then all is written, so what
    # cannot be read is told in its own entry.
    answers = [_answer(written[one.place], one) if one.place in written else _dispatched(one, context)
               for one in requests]
    return Response(200, page("transaction-response", answers, ()))


KINDS = {"batch": _batch, "transaction": _transaction}


def _write(requests: Sequence[Request], context: Context) -> Mapping[str, Response]:
    writes = [one for one in requests if one.interaction in WRITES]
    if not writes:
        return {}
    done = transact([write.change(one) for one in writes], context, writes[0].caller)
    return {one.place: write.answer(what, one) for one, what in zip(writes, done)}


def _refuse_nesting(request: Request) -> None:
    if request.interaction == "transaction":
        raise NotSupported("A Bundle inside a Bundle is not run.", expression=f"{request.place}.request.url")


def _answer(response: Response, request: Request) -> bytes:
    """The entry that answers `request`: what was written is shown only where the client prefers to see it."""
    etag = f'W/"{response.version}"' if response.version else ""
    modified = instant(response.updated) if response.updated else ""
    shown = response.raw if request.interaction not in WRITES or "return" in request.prefer else b""
    location = response.location if request.interaction != "delete" else ""
    return response_entry(_status(response.status), location, etag, modified, shown)
