"""JSON or XML: what a request is written in, and what its answer shall be.

https://hl7.org/fhir/R4/http.html#mime-type · #version-parameter · https://www.rfc-editor.org/rfc/rfc9110#name-accept
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from werkzeug.http import parse_options_header

from fhir_server.outcome import NotAcceptable, UnsupportedMediaType


@dataclass(frozen=True)
class Format:
    """How an answer is written. `versioned`: whether it names the version of FHIR, as the client did."""

    name: str
    versioned: bool = False
    pretty: bool = False

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.name, self.versioned]


JSON, XML = "json", "xml"
TYPES = {JSON: "application/fhir+json", XML: "application/fhir+xml"}
CONTENT_TYPES = {(name, versioned): type_ + ("; fhirVersion=4.0" if versioned else "") + "; charset=utf-8"
                 for name, type_ in TYPES.items() for versioned in (False, True)}

NAMES: Mapping[str, str] = {
    "application/fhir+json": JSON, "application/json": JSON, "text/json": JSON, "json": JSON,
    "application/fhir+xml": XML, "application/xml": XML, "text/xml": XML, "xml": XML,
}
# Less than a name, so that `application/fhir+xml, */*` is XML. A browser, which asks for HTML, sees JSON.
WILDCARDS: Mapping[str, Sequence[str]] = {
    "text/html": (JSON,), "application/*": (JSON, XML), "text/*": (JSON, XML), "*/*": (JSON, XML)}
WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")
VERSIONS = ("4.0", "4.0.1")
PLAIN = Format(JSON)
# A header that nobody writes; it shall not fill the memory of what was understood before.
LONG = 300


def wanted(accept: str, shown: Sequence[tuple[str, str]]) -> Format:
    """Returns the format of the answer: `_format` before the header Accept. Raises NotAcceptable."""
    if not shown:
        return _accepted(accept)
    said = dict(shown)
    # A blank in a query is how an unescaped + of application/fhir+json arrives.
    asked = said.get("_format", "").strip().replace(" ", "+") or accept
    found = _accepted(asked)
    return Format(found.name, found.versioned, said.get("_pretty") == "true")


def _accepted(accept: str) -> Format:
    found = _negotiated(accept) if len(accept) <= LONG else _negotiated.__wrapped__(accept)
    if found is None:
        raise NotAcceptable(f"{accept[:100]} cannot be had; {' and '.join(TYPES.values())} of FHIR 4.0 can.")
    return found


@lru_cache(1024)
def _negotiated(accept: str) -> Format | None:
    if not accept.strip():
        return PLAIN
    best: dict[str, tuple[int, float, bool]] = {}
    for name, offer in _offers(accept):
        best[name] = max(best.get(name, offer), offer)
    # Of what is wanted equally what was named before what was meant too, and JSON before XML.
    ranked = sorted((-weight, -named, name, versioned) for name, (named, weight, versioned) in best.items() if weight)
    return Format(ranked[0][2], ranked[0][3]) if ranked else None


def _offers(accept: str) -> Iterator[tuple[str, tuple[int, float, bool]]]:
    """For each format that a range of the header means: (how closely it names it, weight, whether with a version)."""
    for one in accept.split(","):
        type_, parameters = parse_options_header(one.strip().lower())
        weight = parameters.get("q", "1")
        if _fault(parameters) or not WEIGHT.fullmatch(weight):
            continue
        versioned = "fhirversion" in parameters
        if type_ in NAMES:
            yield NAMES[type_], (3, float(weight), versioned)
        for name in WILDCARDS.get(type_, ()):
            yield name, (2 - type_.count("*"), float(weight), versioned)


def _fault(parameters: Mapping[str, str]) -> str:
    """What of the parameters of a media type cannot be met: `charset=shift_jis`, or ""."""
    said = parameters.get("charset", "utf-8"), parameters.get("fhirversion", VERSIONS[0])
    if said[0].lower() not in ("utf-8", "us-ascii"):
        return f"charset={said[0]}"
    return "" if said[1] in VERSIONS else f"fhirVersion={said[1]}"


def sent(content_type: str, others: Mapping[str, str] = {}) -> str:
    """Returns what a body of this Content-Type is: json, xml, or what `others` has for it.

    Raises UnsupportedMediaType for another, for another character set than UTF-8 and for another version of FHIR.
    """
    found = _sent(content_type) if len(content_type) <= LONG else ("", content_type)
    name = others.get(found[0]) or NAMES.get(found[0])
    if name is None or found[1]:
        what = found[1] or found[0] or "missing"
        raise UnsupportedMediaType(f"Content-Type is {what[:60]}; {' and '.join([*TYPES.values(), *others])} "
                                   "of FHIR 4.0 in UTF-8 are understood.")
    return name


@lru_cache(1024)
def _sent(content_type: str) -> tuple[str, str]:
    type_, parameters = parse_options_header(content_type)
    return type_.lower(), _fault(parameters)
