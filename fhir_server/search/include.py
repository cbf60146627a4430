"""What is to be added to what a search finds, read: `_include=Observation:subject:Patient`, `_revinclude=*`.

https://hl7.org/fhir/R4/search.html#include
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from fhir_server.definitions.registry import Definitions
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.chain import leads_to
from fhir_server.search.criteria import Include, Reader
from fhir_server.search.searchable import all_ready, layout, missing, searchable

ANY = "*"
_ITERATE = ("iterate", "recurse")


def include(name: str, value: str, reader: Reader) -> Include:
    """Returns the Include that `_include:iterate=Observation:subject` asks for.

    Raises NotSupported for a parameter that is not known, BadRequest for what can never add anything.
    """
    word, _, modifier = name.partition(":")
    if modifier and modifier not in _ITERATE:
        raise NotSupported(f"{word} does not support :{modifier[:60]}, only :iterate.")
    parts = [ANY, ANY] if value == ANY else value.split(":")
    if not 2 <= len(parts) <= 3 or not all(parts):
        raise BadRequest(f"{word}: {value[:80]!r} is not written Observation:subject or Observation:subject:Patient.")
    source, code, target = (*parts, "")[:3]
    read = Include(source, code, target, word == "_revinclude", bool(modifier))
    _check(read, word, value, reader)
    return read


def _check(read: Include, word: str, value: str, reader: Reader) -> None:
    if read.source == ANY:
        if read.code != ANY:
            raise BadRequest(f"{word}: {value[:80]!r} names no type.")
        for type_ in reader.definitions.building:
            all_ready(type_, reader.definitions)
        return
    for type_ in filter(None, (read.source, read.target)):
        if type_ not in reader.definitions.resource_types:
            raise BadRequest(f"{word}: there is no resource type {type_[:60]!r}.")
    if not read.reverse and not read.iterate and read.source not in reader.types:
        raise BadRequest(f"{word}: the search finds no {read.source}; to add to what was added write {word}:iterate.")
    if read.code == ANY:
        all_ready(read.source, reader.definitions)
    else:
        _check_code(read, word, reader)


def _check_code(read: Include, word: str, reader: Reader) -> None:
    parameter = searchable(read.source, reader.definitions).parameters.get(read.code)
    if parameter is None:
        raise missing(read.source, read.code[:80], reader.definitions)
    if parameter.type != "reference":
        raise BadRequest(f"{word}: {read.code} of {read.source} is no reference.")
    wanted = (read.target,) if read.target else reader.types if read.reverse and not read.iterate else ()
    if wanted and not targets(read, read.source, reader.definitions).intersection(wanted):
        raise BadRequest(f"{word}: {read.code} of {read.source} does not refer to {' or '.join(wanted[:3])}.")


def targets(read: Include, source: str, definitions: Definitions) -> frozenset[str]:
    """Returns the types that `source` refers to by the parameters of an Include."""
    return frozenset(type_ for _, types in paths(read, source, definitions) for type_ in types)


@lru_cache(maxsize=4000)
def paths(read: Include, source: str, definitions: Definitions) -> Sequence[tuple[str, frozenset[str]]]:
    """Returns the parameters, as stored, by which resources of type `source` refer, each with the types meant."""
    return tuple(_paths(read, source, definitions)) if read.source in (source, ANY) else ()


def _paths(read: Include, source: str, definitions: Definitions) -> Iterator[tuple[str, frozenset[str]]]:
    known = searchable(source, definitions)
    for code in ([read.code] if read.code != ANY else known.parameters):
        parameter = known.parameters[code]
        for place in known.places.get(code, ()) if parameter.type == "reference" else ():
            types = frozenset(leads_to(place, parameter, definitions))
            yield place.code, types & {read.target} if read.target else types


def shown(includes: Sequence[Include], type_: str, definitions: Definitions) -> Sequence[str]:
    """Returns the parameters, as stored, that tell where `includes` lead to from resources of `type_`."""
    forward = [one for one in includes if not one.reverse]
    return tuple({code for one in forward for code, _ in paths(one, type_, definitions)})


def possible(definitions: Definitions) -> tuple[Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]]:
    """Returns by type what `_include` and what `_revinclude` of a search of it may be."""
    includes: dict[str, list[str]] = {type_: [ANY] for type_ in definitions.resource_types}
    reverse: dict[str, list[str]] = {type_: [ANY] for type_ in definitions.resource_types}
    for source in definitions.resource_types:
        for code, types in _references(source, definitions):
            includes[source].append(f"{source}:{code}")
            for type_ in types:
                reverse[type_].append(f"{source}:{code}")
    return includes, reverse


def _references(source: str, definitions: Definitions) -> Iterator[tuple[str, frozenset[str]]]:
    """Compiles nothing: it is asked of all types."""
    known, building = layout(source, definitions), definitions.building.get(source, ())
    for code in sorted(set(known.places).difference(building)):
        parameter = known.parameters[code]
        if parameter.type == "reference":
            places = known.places[code]
            yield code, frozenset(type_ for one in places for type_ in leads_to(one, parameter, definitions))
