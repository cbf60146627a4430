"""What an answer must be, by name: each yields a sentence for each fault, and nothing when all is well."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

import fhirpathpy

from conformance.http import Answer

Faults = Iterator[str]

SHOWN = 120
_FHIR = {"f": "http://hl7.org/fhir", "h": "http://www.w3.org/1999/xhtml"}
_MAGIC = {"gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}
# Where an OperationOutcome may name what it is about.
_PLACES = "issue.diagnostics | issue.details.text | issue.expression | issue.location"


@dataclass(frozen=True)
class Seen:
    """The answers of a step: one; or one for each page, or for each of the requests sent at once.

    ids     the id of each resource that the run knows by a name
    scoped  the searches were restricted to what the run has made; else what others have stored does not count
    """

    answers: Sequence[Answer]
    ids: Mapping[str, str]
    scoped: bool = True

    @property
    def first(self) -> Answer:
        return self.answers[0]

    def found(self, *modes: str | None) -> list[str]:
        """Returns the resources in the Bundle by their names, in order; those that have none as Type/id."""
        names = {id_: name for name, id_ in self.ids.items()}
        entries = [entry for answer in self.answers for entry in answer.entries]
        chosen = [entry.get("resource", {}) for entry in entries if entry.get("search", {}).get("mode") in modes]
        known = [one for one in chosen if self.scoped or one.get("id") in names]
        return [names.get(one.get("id", ""), f"{one.get('resourceType')}/{one.get('id')}") for one in known]


def values(resource: Any, path: str) -> list[Any]:
    """Returns what the FHIRPath `path` finds in `resource`."""
    found: list[Any] = _compiled(path)(resource)
    return found


@lru_cache(maxsize=None)
def _compiled(path: str) -> Callable[..., list[Any]]:
    return fhirpathpy.compile(path)


def status(seen: Seen, wanted: int | str | list[int]) -> Faults:
    """200, [200, 204], or "4xx"."""
    for code in dict.fromkeys(answer.status for answer in seen.answers):
        if not _is_status(code, wanted):
            said = [one for answer in seen.answers if answer.status == code for one in _said(answer)]
            yield f"The status is {code}, not {wanted}." + (f" It says: {_shown(said[0])}" if said else "")


def _said(answer: Answer) -> list[str]:
    """What an OperationOutcome says, and the places it names."""
    if answer.resource.get("resourceType") != "OperationOutcome":
        return []
    return [str(one) for one in values(answer.resource, _PLACES)]


def _is_status(code: int, wanted: int | str | list[int]) -> bool:
    if isinstance(wanted, str):
        return str(code)[0] == wanted[0]
    return code in (wanted if isinstance(wanted, list) else [wanted])


def statuses(seen: Seen, wanted: Mapping[str, int]) -> Faults:
    """How many of the requests sent at once got which status: { 201 = 1 }."""
    counted = Counter(str(answer.status) for answer in seen.answers)
    for code, number in wanted.items():
        if counted[code] != number:
            yield f"{counted[code]} of {len(seen.answers)} answers have the status {code}, not {number}."


def headers(seen: Seen, wanted: Mapping[str, str | bool]) -> Faults:
    """A regular expression for the whole value; false: there is no such header."""
    for name, pattern in wanted.items():
        given = seen.first.headers.get(name)
        if pattern is False and given is not None:
            yield f"There is a header {name}: {given}."
        elif isinstance(pattern, str) and given is None:
            yield f"There is no header {name}."
        elif isinstance(pattern, str) and not re.fullmatch(pattern, given or ""):
            yield f"The header {name} is {given}, which does not match {pattern}"


def have(seen: Seen, wanted: Mapping[str, Any]) -> Faults:
    """What a FHIRPath finds: one value, or a list of them in order."""
    for path, value in wanted.items():
        found = values(seen.first.resource, path)
        if found != (value if isinstance(value, list) else [value]):
            yield f"{path} is {_shown(found)}, not {_shown(value)}."


def true(seen: Seen, wanted: Sequence[str]) -> Faults:
    """FHIRPaths that are true of the resource."""
    for path in wanted:
        if values(seen.first.resource, path) != [True]:
            yield f"{path} is not true."


def issue(seen: Seen, wanted: Mapping[str, str]) -> Faults:
    """An OperationOutcome with an issue of this code, and with this text in what it says or names."""
    if seen.first.resource.get("resourceType") != "OperationOutcome":
        yield "The answer is no OperationOutcome."
        return
    codes = values(seen.first.resource, "issue.code")
    if "code" in wanted and not any(re.fullmatch(wanted["code"], code) for code in codes):
        yield f"The issue has the code {_shown(codes)}, not {wanted['code']}."
    said = _said(seen.first)
    if "names" in wanted and not any(wanted["names"] in one for one in said):
        yield f"The issue does not name {wanted['names']!r}: it says {_shown(said)}."


def found(seen: Seen, wanted: Sequence[str]) -> Faults:
    """Exactly these match, in any order; none twice."""
    yield from _difference(seen.found("match", None), wanted, "found")


def included(seen: Seen, wanted: Sequence[str]) -> Faults:
    """Exactly these are included, in any order; none twice."""
    yield from _difference(seen.found("include"), wanted, "included")


def finds(seen: Seen, wanted: Sequence[str]) -> Faults:
    """These match, and maybe others."""
    missing = set(wanted) - set(seen.found("match", None))
    if missing:
        yield f"Not found: {_list(missing)}."


def _difference(given: Sequence[str], wanted: Sequence[str], what: str) -> Faults:
    missing, more = Counter(wanted) - Counter(given), Counter(given) - Counter(wanted)
    if missing:
        yield f"Not {what}: {_list(missing)}."
    if more:
        yield f"{what.capitalize()} and should not be, or twice: {_list(more)}."


def order(seen: Seen, wanted: Sequence[str]) -> Faults:
    """Exactly these match, in this order."""
    given = seen.found("match", None)
    if given != wanted:
        yield f"The order is {', '.join(given) or 'empty'}, not {', '.join(wanted)}."


def pages(seen: Seen, wanted: int) -> Faults:
    """No page has more matches than this, and there are as many pages as that needs."""
    sizes = [sum(one.get("search", {}).get("mode") != "include" for one in page.entries) for page in seen.answers]
    full = [size for size in sizes[:-1] if size != wanted]
    if full or sizes[-1] > wanted:
        yield f"The pages have {sizes} matches, not {wanted} each."


def text(seen: Seen, wanted: str | Sequence[str]) -> Faults:
    """Regular expressions that are found in the body."""
    for pattern in [wanted] if isinstance(wanted, str) else wanted:
        if not re.search(pattern, seen.first.text):
            yield f"Nothing in the body matches {pattern}"


def no_text(seen: Seen, wanted: str | Sequence[str]) -> Faults:
    """Regular expressions that are not found in the body."""
    for pattern in [wanted] if isinstance(wanted, str) else wanted:
        if re.search(pattern, seen.first.text):
            yield f"The body has something that matches {pattern}"


def empty(seen: Seen, wanted: bool) -> Faults:
    """Whether the body is empty."""
    if bool(seen.first.content) is wanted:
        yield f"The body has {len(seen.first.content)} bytes."


def encoding(seen: Seen, wanted: str) -> Faults:
    """The body travelled compressed, and says so."""
    yield from headers(seen, {"Content-Encoding": wanted})
    if not seen.first.content.startswith(_MAGIC[wanted]):
        yield f"The body is not {wanted}."


def xml(seen: Seen, wanted: Mapping[str, str]) -> Faults:
    """What an XPath (f: FHIR, h: XHTML) finds in an answer in XML: the text of the attribute `value` or of the element.

    "" asks that the element is there.
    """
    try:
        root = ElementTree.fromstring(seen.first.decoded)
    except ElementTree.ParseError as error:
        yield f"The body is no XML: {error}."
        return
    for path, value in wanted.items():
        given = [one.get("value", one.text or "") for one in root.findall(path, _FHIR)]
        if value not in given and not (value == "" and given):
            yield f"{path} is {_shown(given)}, not {_shown(value)}."


def _list(names: Mapping[str, int] | set[str]) -> str:
    return ", ".join(sorted(names))


def _shown(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= SHOWN else shown[:SHOWN] + "…"


EXPECTATIONS: Mapping[str, Callable[[Seen, Any], Faults]] = {
    "status": status,
    "statuses": statuses,
    "headers": headers,
    "have": have,
    "true": true,
    "issue": issue,
    "found": found,
    "finds": finds,
    "included": included,
    "order": order,
    "pages": pages,
    "text": text,
    "no_text": no_text,
    "empty": empty,
    "encoding": encoding,
    "xml": xml,
}


def faults(seen: Seen, expect: Mapping[str, Any]) -> list[str]:
    """Returns a sentence for each thing about `seen` that is not as expected; after a wrong status, only that."""
    wrong = list(status(seen, expect["status"])) if "status" in expect else []
    rest = (fault for name, wanted in expect.items() if name != "status" for fault in EXPECTATIONS[name](seen, wanted))
    return wrong or list(rest)
