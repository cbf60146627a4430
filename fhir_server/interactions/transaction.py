"""batch and transaction: https://hl7.org/fhir/R4/http.html#transaction"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Any

from fhir_server.access.condition import condition
from fhir_server.bundle import entry as bundle_entry
from fhir_server.bundle.page import page, response_entry
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import encode, instant
from fhir_server.interactions import write
from fhir_server.outcome import BadRequest, FHIRError, NotSupported, TooLarge, Unavailable
from fhir_server.trace import where
from fhir_server.transact import transact

# After so long the entries that are left are answered without being run.
BATCH_SECONDS = 30.0
WRITES = frozenset(("create", "update", "delete"))

log = logging.getLogger(__name__)


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
    budget = Budget(context.config.answer_limit, monotonic() + BATCH_SECONDS)
    answers = [_alone(entry, f"Bundle.entry[{i}]", request, context, budget) for i, entry in enumerate(entries)]
    return Response(200, page("batch-response", answers, ()))


@dataclass
class Budget:
    """What all answers together may take: a small request must not make a huge answer, nor hold its place for ever.

    left   bytes
    until  seconds of the steady clock
    """

    left: int
    until: float

    def check(self) -> None:
        if self.left < 0:
            raise TooLarge("The answers to the entries before are all that one answer can hold. Ask in smaller parts.")
        if monotonic() > self.until:
            raise Unavailable("The entries before took all the time of one request. Ask in smaller parts.")


def _alone(entry: Any, place: str, parent: Request, context: Context, budget: Budget) -> bytes:
    try:
        one = bundle_entry.request(entry, place, parent, context)
        _refuse_nesting(one)
    except FHIRError as error:
        return _refusal(error)
    return _dispatched(one, context, budget)


def _dispatched(request: Request, context: Context, budget: Budget) -> bytes:
    """The answer to one entry, whatever happens to it: the answers to the others must not be lost."""
    try:
        budget.check()
        answer = _answer(context.dispatch(request, context), request)
    except FHIRError as error:
        answer = _refusal(error)
    except Exception as error:
        log.error("an entry failed: %s", where(error))
        answer = _refusal(FHIRError("The server failed on this entry."))
    budget.left -= len(answer)
    return answer


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
    budget = Budget(context.config.answer_limit, monotonic() + BATCH_SECONDS)
    answers = [_answer(written[one.place], one) if one.place in written else _dispatched(one, context, budget)
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
