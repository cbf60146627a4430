"""batch and transaction: https://hl7.org/fhir/R4/http.html#transaction"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from itertools import islice
from time import monotonic
from typing import Any

from fhir_server.access.condition import condition
from fhir_server.bundle import entry as bundle_entry
from fhir_server.bundle.links import Links
from fhir_server.bundle.page import page, response_entry
from fhir_server.bundle.references import References
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import encode, instant
from fhir_server.interactions import write
from fhir_server.interactions.conditional import WRITES, Settled, refuse_overlap, settle
from fhir_server.matches import Matches, decided
from fhir_server.outcome import BadRequest, FHIRError, NotSupported, TooLarge, Unavailable
from fhir_server.trace import where
from fhir_server.transact import transact

# After so long the entries that are left are answered without being run.
BATCH_SECONDS = 30.0
# An entry that writes, as it was sent and as it was read.
Written = tuple[Mapping[str, Any], Request]

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
    bundle_entry.check_urls(entries, asked)
    writes = [(entry, one) for entry, one in zip(entries, asked) if one.interaction in WRITES]
    written = decided(partial(_written, writes, context), context, request.caller, request.base) if writes else {}
    # What is read sees what was written: https://hl7.org/fhir/R4/http.html#trules. By then all is written, so what
    # cannot be read is told in its own entry.
    budget = Budget(context.config.answer_limit, monotonic() + BATCH_SECONDS)
    answers = [_answer(written[one.place], one) if one.place in written else _dispatched(one, context, budget)
               for one in asked]
    return Response(200, page("transaction-response", answers, ()))


KINDS = {"batch": _batch, "transaction": _transaction}


def _written(writes: Sequence[Written], context: Context, matches: Matches) -> Mapping[str, Response]:
    """Writes all, in one step whatever their order: no two are about one resource, and what is read comes after.

    Returns the responses by the places of the entries.
    """
    settled = [settle(one, matches, context) for _, one in writes]
    refuse_overlap([one for _, one in writes], settled)
    links = _links(writes, settled, matches)
    changes = [[write.change(bundle_entry.with_links(entry, one, links), context) for one in found.requests]
               for (entry, _), found in zip(writes, settled)]
    done = iter(transact([one for some in changes for one in some], context, matches.caller, given=matches.given))
    return {asked.place: write.settled_answer(found, list(islice(done, len(some))), asked)
            for (_, asked), found, some in zip(writes, settled, changes)}


def _links(writes: Sequence[Written], settled: Sequence[Settled], matches: Matches) -> Links:
    ids, created, by_type = dict[str, str](), set[str](), defaultdict[str, list[Request]](list)
    for (entry, asked), found in zip(writes, settled):
        for one in found.requests:
            by_type[one.type].append(one)
        id_ = found.found.id if found.found else found.requests[0].id if found.requests else ""
        if (url := entry.get("fullUrl")) and id_ and asked.interaction in ("create", "update"):
            ids[url] = f"{asked.type}/{id_}"
            created.update(f"{one.type}/{one.id}" for one in found.requests if one.interaction == "create")
    return Links(ids, created=frozenset(created), own=matches.base, match=References(matches, by_type).match)


def _refuse_nesting(request: Request) -> None:
    if request.interaction == "transaction":
        raise NotSupported("A Bundle inside a Bundle is not run.", expression=f"{request.place}.request.url")


def _answer(response: Response, request: Request) -> bytes:
    """The entry that answers `request`: what was written is shown only where the client prefers to see it."""
    etag = f'W/"{response.version}"' if response.version else ""
    modified = instant(response.updated) if response.updated else ""
    writes = request.interaction in WRITES
    shown = b"" if request.head or (writes and "return" not in request.prefer) else response.raw
    told = writes and request.prefer.get("return") == "OperationOutcome"
    location = response.location if request.interaction != "delete" else ""
    return response_entry(_status(response.status), location, etag, modified, shown, told)
