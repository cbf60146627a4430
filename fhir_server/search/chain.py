"""Criteria about linked resources: `subject:Patient.name=…`, `_has:Observation:patient:code=…`, `_list=…`.

https://hl7.org/fhir/R4/search.html#chaining · #has · #list
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.outcome import BadRequest, FHIRError, NotSupported
from fhir_server.search.criteria import Criteria, Criterion, Link, Links, Reader
from fhir_server.search.criterion import OR_LIMIT, by_id, term
from fhir_server.search.searchable import Place, all_ready, missing
from fhir_server.search.term import Term
from fhir_server.search.value import split, unescape

Leaf = Callable[[str, str, Reader], Term]


def criterion(name: str, value: str, reader: Reader, leaf: Leaf = term) -> Criterion:
    """Returns what `name=value` asks; `leaf` reads what stands at the end of a chain.

    Raises NotSupported for a parameter that is not known, BadRequest for a link that leads nowhere and for the value.
    """
    if name in reader.known.parameters:
        return leaf(name, value, reader)
    return _Chain(value, leaf).criterion(name, reader)


@dataclass(frozen=True)
class _Chain:
    """Reads all ways that a chain may take; what is known of a type and the rest of the name is worked out once."""

    value: str
    leaf: Leaf
    known: dict[tuple[str, str], Criteria | FHIRError] = field(default_factory=dict)

    def criterion(self, name: str, reader: Reader) -> Criterion:
        if name.startswith("_has:"):
            return self._reverse(name, reader)
        if name == "_list":
            return _on_lists(self.value, reader)
        head, dot, rest = name.partition(".")
        return self._forward(head, rest, reader) if dot else self.leaf(name, self.value, reader)

    def _forward(self, head: str, rest: str, reader: Reader) -> Links:
        code, _, type_ = head.partition(":")
        parameter = _reference(code, reader)
        targets = _targets(parameter, type_, reader)
        found = {one: self._criteria(rest, one, reader) for one in targets}
        links = tuple(
            Link(place.code, criteria)
            for target, criteria in found.items() if isinstance(criteria, Criteria)
            for place in reader.known.places[code] if place.within in ("", target))
        if not links:
            raise _refusal(f"{head}.{rest}", [one for one in found.values() if isinstance(one, FHIRError)])
        return links

    def _reverse(self, name: str, reader: Reader) -> Links:
        _, type_, code, rest = _parts_of_has(name)
        if type_ not in reader.definitions.resource_types:
            raise BadRequest(f"{name[:80]}: there is no resource type {type_[:60]!r}.")
        source = reader.linked(type_, name)
        parameter = _reference(code, source)
        places = [one for one in source.known.places[code]
                  if reader.type in leads_to(one, parameter, reader.definitions)]
        if not places:
            raise BadRequest(f"{name[:80]}: {code} of {type_} does not refer to {reader.type}.")
        criteria = self._criteria(rest, type_, reader)
        if isinstance(criteria, FHIRError):
            raise criteria
        return tuple(Link(one.code, criteria, reverse=True) for one in places)

    def _criteria(self, rest: str, type_: str, reader: Reader) -> Criteria | FHIRError:
        if (type_, rest) not in self.known:
            self.known[type_, rest] = self._read(rest, type_, reader)
        return self.known[type_, rest]

    def _read(self, rest: str, type_: str, reader: Reader) -> Criteria | FHIRError:
        try:
            found = self.criterion(rest, reader.linked(type_, rest))
        except (BadRequest, NotSupported) as error:
            return error
        return Criteria(type_, [found]) if isinstance(found, Term) else Criteria(type_, links=[found])


def _refusal(name: str, refused: Sequence[FHIRError]) -> FHIRError:
    """What to say when a chain leads nowhere: of one way its own fault, of several a fault of the value."""
    faults = [one for one in refused if isinstance(one, BadRequest)]
    if faults or len(refused) == 1:
        return (faults or refused)[0]
    return NotSupported(f"{name[:80]}: none of the types it may lead to has such a search parameter.")


def _reference(code: str, reader: Reader) -> SearchParameter:
    parameter = reader.known.parameters.get(code)
    if parameter is None:
        raise missing(reader.type, code[:80], reader.definitions)
    if parameter.type != "reference":
        raise BadRequest(f"{code} of {reader.type} is no reference: nothing can be chained to it.")
    if all(reader.known.extractors[one.code].types <= CANONICAL for one in reader.known.places[code]):
        raise NotSupported(f"{code} of {reader.type} holds canonical URLs: nothing can be chained to it.")
    return parameter


CANONICAL = frozenset(("canonical", "uri"))


def _targets(parameter: SearchParameter, type_: str, reader: Reader) -> Sequence[str]:
    """The types that a link may lead to: the one that is named, or all."""
    places = reader.known.places[parameter.code]
    possible = [target for one in places for target in leads_to(one, parameter, reader.definitions)]
    if not type_:
        return tuple(dict.fromkeys(possible))
    if type_ not in possible:
        raise BadRequest(f"{parameter.code}:{type_[:60]}: {parameter.code} of {reader.type} does not refer to"
                         f" {type_[:60]}.")
    return (type_,)


def leads_to(place: Place, parameter: SearchParameter, definitions: Definitions) -> Sequence[str]:
    """Returns the types of what the references at `place` may refer to: any where the parameter does not say."""
    return (place.within,) if place.within else parameter.target or definitions.resource_types


def _parts_of_has(name: str) -> list[str]:
    parts = name.split(":", 3)
    if len(parts) != 4 or not all(parts):
        raise BadRequest(f"{name[:80]} is not written _has:Observation:patient:code.")
    return parts


def _on_lists(value: str, reader: Reader) -> Links:
    """What stands on one of the lists, by their ids. https://hl7.org/fhir/R4/search.html#list"""
    ids = [unescape(one) for one in split(value, ",")]
    if functional := next((one for one in ids if one.startswith("$")), ""):
        raise NotSupported(f"_list: functional lists such as {functional[:60]} are not supported, only ids of Lists.")
    if len(ids) > OR_LIMIT:
        raise BadRequest(f"_list: at most {OR_LIMIT} values, this one has {len(ids)}.")
    lists = reader.linked("List", "_list")
    all_ready("List", reader.definitions)
    criteria = Criteria("List", [Term([by_id(ids)])])
    return tuple(Link(one.code, criteria, reverse=True) for one in lists.known.places["item"])
