"""What can be searched on a resource type, and where each parameter is stored: worked out from the definitions.

A parameter that others cover is not stored: `patient` is the part `Patient` of `subject`, `phone` the part `phone` of
`telecom`, `combo-code` is `code` or `component-code`. Keys are the cost of the index.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.fhirjson import Resource
from fhir_server.fhirpath.compile import Extractor, Get, extractor
from fhir_server.outcome import FHIRError, NotReady, NotSupported, Unavailable
from fhir_server.search.parameters import FULL_TEXT, PARAMETER_TYPES, composite, type_of
from fhir_server.search.parameters.composite import Component
from fhir_server.search.sort import SORTED, SORTED_TYPES, SORTED_UNDATED, Choose, sorting
from fhir_server.search.term import Store

# Of the whole resource, kept in fields of their own.
FIELDS = ("_id", "_lastUpdated")
# The parameter that newest-first pages go by: the first of these that a type has.
CLINICAL_DATES = (
    "authoredon", "authored", "authored-on", "date", "effective-time", "effective", "started", "period", "occurrence",
    "sent", "whenhandedover", "whenprepared", "recorded", "recorded-date", "collected", "identified", "datetime",
    "event-date", "created", "issued", "datewritten", "start", "start-date", "timestamp",
)
# A change of how keys are written asks for a reindex; this number tells it.
FORMAT = 2

_SUPERTYPES = ("Resource", "DomainResource")
UNION = re.compile(r"\s*\|\s*")
WHOLE = "%resource."
_PART = re.compile(r"^(.*)\.where\((?:resolve\(\) is (\w+)|system='(\w+)')\)$")


@dataclass(frozen=True)
class Place:
    """Where values of a parameter are stored: under `code`, there `within` a target type or a system, or all of it."""

    code: str
    within: str = ""


class Reader(NamedTuple):
    """Reads what is stored of one parameter out of a resource: values of one type, and what is stored of each.

    choose  what to sort by; None: not by this
    """

    code: str
    get: Get
    store: Store
    choose: Choose | None = None


@dataclass(frozen=True)
class Searchable:
    """The search parameters of one resource type.

    parameters  all that can be asked, by code
    places      where those are stored that are no field of their own
    extractors  of the stored ones
    readers     the same by the member of the resource that they start from; "" for what looks at the whole
    clinical    code of the parameter that newest-first pages go by, or ""
    dated       that parameter has one value at most, whose start is the clinical date
    hash        changes when what is stored would
    sortable    codes of those that can be sorted by, the clinical date and fields apart
    asunder     composites of what stands alone in a resource: not stored, their components are asked one by one
    """

    parameters: Mapping[str, SearchParameter]
    places: Mapping[str, Sequence[Place]]
    extractors: Mapping[str, Extractor]
    readers: Mapping[str, Sequence[Reader]]
    clinical: str
    dated: bool
    hash: str
    sortable: frozenset[str] = frozenset()
    asunder: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Layout:
    """Where values are stored, worked out without compiling anything.

    parameters, places, hash  as in Searchable, but with what is being built
    parts       the alternatives of each expression that is evaluated, by code
    """

    parameters: Mapping[str, SearchParameter]
    parts: Mapping[str, Sequence[str]]
    places: Mapping[str, Sequence[Place]]
    hash: str

    @property
    def stored(self) -> Sequence[str]:
        return sorted({place.code for found in self.places.values() for place in found})

    def definition(self, code: str) -> tuple[object, ...]:
        """Returns all that decides what is stored under `code`."""
        one = self.parameters[code]
        return (one.type, self.parts[code], *([one.components] if one.components else []))


@lru_cache(maxsize=4000)
def layout(type_: str, definitions: Definitions) -> Layout:
    """Returns where the values of a type are stored."""
    if type_ not in definitions.touched and definitions is not definitions.standard:
        return layout(type_, definitions.standard)
    parts, parameters = _parts(type_, definitions), {one.code: one for one in supported(type_, definitions)}
    made = Layout(parameters, parts, _places(parts, parameters), "")
    components = {code: component_parameters(parameters[code], type_, definitions) for code in made.stored}
    stored = {code: (*made.definition(code), *(one.type for one in found)) for code, found in components.items()}
    return replace(made, hash=_hash((definitions.text, stored)))


@lru_cache(maxsize=4000)
def searchable(type_: str, definitions: Definitions) -> Searchable:
    """Returns what can be searched on `type_`; compiled once per process, some milliseconds a type."""
    if type_ not in definitions.touched and definitions is not definitions.standard:
        return searchable(type_, definitions.standard)
    known, building = layout(type_, definitions), definitions.building.get(type_, frozenset())
    extractors = {code: _extractor(" | ".join(known.parts[code]), type_, definitions) for code in known.stored}
    dates = [code for code in CLINICAL_DATES if code in extractors and known.parameters[code].type == "date"]
    clinical = next((code for code in dates if known.parameters[code].standard), "")
    asunder = frozenset(code for code in extractors if _is_asunder(code, known, extractors, type_, definitions))
    sortable = _sortable(known, clinical)
    return Searchable(
        {code: one for code, one in known.parameters.items() if code not in building},
        {code: one for code, one in known.places.items() if code not in building},
        extractors,
        _readers({code: one for code, one in extractors.items() if code not in asunder}, known, sortable, type_,
                 definitions),
        clinical,
        bool(clinical) and len(known.parts[clinical]) == 1 and not extractors[clinical].repeats,
        known.hash,
        sortable - building,
        asunder,
    )


# Most of what a new set of parameters needs was compiled for the one before.
_compiled = lru_cache(maxsize=20_000)(extractor)


def _extractor(expression: str, type_: str, definitions: Definitions) -> Extractor:
    """What has no expression reads nothing."""
    return _compiled(expression, type_, definitions.standard) if expression else Extractor(())


def component_parameters(
    parameter: SearchParameter, type_: str, definitions: Definitions
) -> Sequence[SearchParameter]:
    """Returns what the components of a composite are on `type_`; none where one of them is no parameter of it."""
    known = {one.url: one for one in definitions.search_parameters(type_).values() if composite.stores(one.type)}
    found = [known.get(url) for url, _ in parameter.components]
    return [] if None in found else [one for one in found if one]


def _components(
    code: str, focus: str, known: Layout, type_: str, definitions: Definitions
) -> Iterator[tuple[SearchParameter, Extractor, bool]]:
    """Yields each component of a composite: its parameter, what reads it, and whether it is of the whole resource."""
    parameter = known.parameters[code]
    pairs = zip(component_parameters(parameter, type_, definitions), parameter.components, strict=True)
    for one, (_, expression) in pairs:
        whole = expression.startswith(WHOLE)
        yield one, _extractor(expression.removeprefix(WHOLE), type_ if whole else focus, definitions), whole


def _is_asunder(
    code: str, known: Layout, extractors: Mapping[str, Extractor], type_: str, definitions: Definitions
) -> bool:
    """Whether a composite's element and its components are there once at most: then each tells of that one."""
    if known.parameters[code].type != "composite" or extractors[code].repeats or len(extractors[code].branches) != 1:
        return False
    found = list(_components(code, extractors[code].branches[0].type, known, type_, definitions))
    return not any(read.repeats for _, read, _ in found) and all(
        known.places[one.code] == [Place(one.code)] and not extractors[one.code].repeats for one, _, _ in found)


def _sortable(known: Layout, clinical: str) -> frozenset[str]:
    worth = SORTED if clinical else SORTED | SORTED_UNDATED
    return frozenset(
        code for code, found in known.places.items()
        if found == [Place(code)] and code != clinical and (
            code in worth or known.parameters[code].type in SORTED_TYPES))


def changed(type_: str, before: Definitions, after: Definitions) -> frozenset[str]:
    """Returns the codes that cannot be asked of `after` while resources are indexed as `before` says."""
    old, new = layout(type_, before), layout(type_, after)
    found = {code for code in new.places if _kept(code, old) != _kept(code, new)}
    # A composite is stored as its components are.
    parts = {code: component_parameters(new.parameters[code], type_, after) for code in new.places}
    return frozenset(found | {code for code, made_of in parts.items() if any(one.code in found for one in made_of)})


def _kept(code: str, known: Layout) -> Sequence[tuple[object, ...]]:
    return [(place, *known.definition(place.code)) for place in known.places.get(code, ())]


def missing(type_: str, name: str, definitions: Definitions) -> FHIRError:
    """Returns what to raise for a name that cannot be asked: there is no such parameter, or it is being built."""
    code, _, _ = name.partition(":")
    if code in definitions.building.get(type_, ()):
        return _not_ready(type_, code, definitions)
    return NotSupported(f"{type_} has no search parameter {name[:80]} here.")


def all_ready(type_: str, definitions: Definitions) -> None:
    """Raises Unavailable while any of the standard's parameters of a type is being built: for who asks many at once."""
    known = definitions.standard.search_parameters(type_)
    if code := next((one for one in sorted(definitions.building.get(type_, ())) if one in known), ""):
        raise _not_ready(type_, code, definitions)


def _not_ready(type_: str, code: str, definitions: Definitions) -> FHIRError:
    text = f"{type_}.{code} is being built: {definitions.progress(type_)}."
    # A standard one is built anew after an upgrade: whoever asks may count on it, and must not do without.
    return (Unavailable if definitions.search_parameters(type_)[code].standard else NotReady)(text)


def _readers(
    extractors: Mapping[str, Extractor], known: Layout, sortable: frozenset[str], type_: str, definitions: Definitions
) -> Mapping[str, Sequence[Reader]]:
    readers: dict[str, list[Reader]] = {}
    for code, extract in extractors.items():
        stores = type_of(known.parameters[code]).stores
        for branch in extract.branches:
            if known.parameters[code].type == "composite":
                found = [Component(one.type, read.branches, whole)
                         for one, read, whole in _components(code, branch.type, known, type_, definitions)]
                made = Reader(code, _itself, composite.store(branch.get, found))
            elif branch.type in stores:
                choose = sorting(known.parameters[code].type) if code in sortable else None
                made = Reader(code, branch.get, stores[branch.type], choose)
            else:
                continue
            readers.setdefault(branch.member, []).append(made)
    return readers


def _itself(resource: Resource) -> Sequence[Resource]:
    return (resource,)


def supported(type_: str, definitions: Definitions) -> Sequence[SearchParameter]:
    """Returns the search parameters of `type_`, by name, with those that are being built; compiles nothing."""
    parts = _parts(type_, definitions)
    known = definitions.search_parameters(type_)
    return tuple(known[code] for code in sorted(known) if code in parts or code in FIELDS)


def _parts(type_: str, definitions: Definitions) -> Mapping[str, Sequence[str]]:
    """The alternatives of each expression that is evaluated; none for full text, which is asked all the same."""
    known = definitions.search_parameters(type_)
    texts = {code: () for code in FULL_TEXT if code in known and definitions.text.full_text}
    return {**texts, **{
        code: found
        for code, one in known.items()
        if one.type in PARAMETER_TYPES and code not in FIELDS and (found := alternatives(one.expression, type_))
        and (one.type != "composite" or component_parameters(one, type_, definitions))
    }}


def alternatives(expression: str, type_: str) -> tuple[str, ...]:
    """Returns the parts of a union that can find something in `type_`: of `A.code | B.code` for A only `A.code`."""
    starts = ("", type_, *_SUPERTYPES)
    return tuple(one for one in UNION.split(expression.strip()) if one and _starts_at(one) in starts)


def _starts_at(part: str) -> str:
    """The type an expression starts with, "" for one relative to whatever it is applied to."""
    first = part.lstrip("(").partition(".")[0]
    return first if first[:1].isupper() else ""


def _places(
    parts: Mapping[str, Sequence[str]], parameters: Mapping[str, SearchParameter]
) -> Mapping[str, Sequence[Place]]:
    """Returns where each parameter is stored; plain and short expressions come first, others lean on them."""
    places: dict[str, Sequence[Place]] = {}
    # A standard one never leans on one of this network, lest a change of that should move it.
    for code in sorted(parts, key=lambda one: (
            not parameters[one].standard, _within(parts[one]) != "", len(parts[one]), one)):
        stored = {
            other: set(parts[other])
            for other, found in places.items()
            if _alike(parameters[other], parameters[code]) and found == [Place(other)]
        }
        places[code] = (_covering(parts[code], stored) if parts[code] else ()) or [Place(code)]
    return places


def _alike(one: SearchParameter, other: SearchParameter) -> bool:
    """Whether they store the same of the same values."""
    expressions = [[expression for _, expression in each.components] for each in (one, other)]
    return one.type == other.type and expressions[0] == expressions[1] and one.code not in FULL_TEXT


def _covering(parts: Sequence[str], stored: Mapping[str, set[str]]) -> Sequence[Place]:
    """Returns the stored parameters that together find exactly what `parts` find, or none."""
    within = _within(parts)
    whole = {_PART.sub(r"\1", one) for one in parts} if within else set(parts)
    used = [code for code, found in stored.items() if found <= whole]
    same = [code for code in used if stored[code] == whole]
    covered = set().union(*(stored[code] for code in used))
    return [Place(code, within) for code in (same[:1] or used)] if covered == whole else []


def _within(parts: Sequence[str]) -> str:
    """The target type or the system that all parts are narrowed to, or ""."""
    found = {match.group(2) or match.group(3) if (match := _PART.match(one)) else "" for one in parts}
    return found.pop() if len(found) == 1 else ""


def _hash(stored: object) -> str:
    return sha256(repr((FORMAT, stored)).encode()).hexdigest()[:16]
