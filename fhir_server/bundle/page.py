"""Bundles spliced from stored bytes: searchset, history. Nothing stored is parsed to be shown.

https://hl7.org/fhir/R4/bundle.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fhir_server.fhirjson import encode, instant
from fhir_server.outcome import Issue, operation_outcome
from fhir_server.store.document import Version


@dataclass(frozen=True)
class Link:
    """One Bundle.link."""

    relation: str
    url: str


# Legible in a link as they are.
_LEGIBLE = ":,-"


def links(where: str, said: Sequence[tuple[str, str]], behind: str = "") -> list[Link]:
    """Returns the link to what was asked, and the one to the next page, where `behind` is its token."""
    found = [Link("self", _url(where, said))]
    if behind:
        found.append(Link("next", _url(where, [*(pair for pair in said if pair[0] != "_page"), ("_page", behind)])))
    return found


def _url(where: str, said: Sequence[tuple[str, str]]) -> str:
    return "?".join(filter(None, (where, urlencode(said, safe=_LEGIBLE, quote_via=quote))))


def page(kind: str, entries: Sequence[bytes], links: Sequence[Link], total: int | None = None) -> bytes:
    """Returns a Bundle of type `kind` as JSON; `entries` are JSON already."""
    head = {"resourceType": "Bundle", "type": kind}
    told = {} if total is None else {"total": total}
    start = encode({**head, **told, "link": [{"relation": one.relation, "url": one.url} for one in links]})
    if not entries:
        return start
    return start[:-1] + b',"entry":[' + b",".join(entries) + b"]}"


def search_entry(type_: str, id_: str, raw: bytes, base: str, mode: str = "match") -> bytes:
    """Returns one entry of a searchset."""
    return b'{"fullUrl":%s,"resource":%s,"search":{"mode":"%s"}}' % (
        encode(f"{base}/{type_}/{id_}"), raw, mode.encode())


def outcome_entry(issues: Sequence[Issue]) -> bytes:
    """Returns the entry of a searchset that tells what was left out."""
    return b'{"resource":%s,"search":{"mode":"outcome"}}' % encode(operation_outcome(issues))


def history_entry(version: Version, base: str) -> bytes:
    """Returns one entry of a history: what was asked (request), what came of it (response), and the content."""
    where = f"{version.type}/{version.id}"
    told = encode({
        "fullUrl": f"{base}/{where}",
        "request": {"method": "DELETE" if version.deleted else "PUT", "url": where},
        "response": {
            "status": "204" if version.deleted else "201" if version.version == 1 else "200",
            "etag": f'W/"{version.version}"',
            "lastModified": instant(version.updated),
        },
    })
    return told if version.deleted else told[:-1] + b',"resource":' + version.raw + b"}"


def response_entry(
    status: str, location: str, etag: str, modified: str, body: bytes, error: bool = False
) -> bytes:
    """Returns one entry of a batch-response or transaction-response; "" leaves a member out."""
    members = {"status": status, "location": location, "etag": etag, "lastModified": modified}
    told = encode({name: value for name, value in members.items() if value})
    if not body:
        return b'{"response":' + told + b"}"
    if error:
        return b'{"response":' + told[:-1] + b',"outcome":' + body + b"}}"
    return b'{"resource":' + body + b',"response":' + told + b"}"
