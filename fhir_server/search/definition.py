"""A SearchParameter resource as a search parameter of this network: which can work, and which are refused.

https://hl7.org/fhir/R4/searchparameter.html · https://hl7.org/fhir/R4/search.html#table
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.fhirjson import Resource
from fhir_server.fhirpath.compile import Unsupported, extractor
from fhir_server.fhirpath.grammar import is_expression
from fhir_server.outcome import Issue, Unprocessable
from fhir_server.search.parameters import PARAMETER_TYPES, composite
from fhir_server.search.searchable import UNION, WHOLE, alternatives

# Of one network: every resource is read for each of them.
OWN_LIMIT = 200
EXPRESSION_LIMIT = 1000

log = logging.getLogger(__name__)

# As it stands in the keys of the index.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)
# What a special one does no expression tells.
_OWN_TYPES = PARAMETER_TYPES.keys() - {"special"}


def check(resource: Resource, definitions: Definitions) -> None:
    """Refuses an active SearchParameter that cannot work, naming each element; it must be valid.

    Any other status is kept as a text: nothing is searched by it. Raises Unprocessable.
    """
    if resource["status"] == "active" and (issues := list(_issues(resource, definitions))):
        raise Unprocessable(issues=issues)


def accepted(resources: Iterable[Resource], standard: Definitions) -> list[SearchParameter]:
    """Returns the search parameters that `resources` define; what cannot work beside those before is left out."""
    own: list[SearchParameter] = []
    # Composites last: their components may be such as these.
    for resource in sorted(resources, key=lambda one: (one["type"] == "composite", one["id"])):
        if resource["status"] != "active":
            continue
        known = standard.with_parameters(own)
        if any(one.url == resource["url"] for one in own) or next(_issues(resource, known), None):
            log.warning("SearchParameter/%s cannot work beside the others and is left out", resource["id"])
        else:
            own.append(read(resource))
    return own


def read(resource: Resource) -> SearchParameter:
    """Returns what a SearchParameter says. Modifiers, comparators and derivedFrom restrict nothing here."""
    return SearchParameter(
        code=resource["code"],
        url=resource["url"],
        type=resource["type"],
        expression=resource.get("expression", ""),
        base=tuple(resource["base"]),
        target=tuple(resource.get("target", ())),
        components=tuple((one["definition"], one["expression"]) for one in resource.get("component", ())),
        standard=False,
    )


def _issues(resource: Resource, definitions: Definitions) -> Iterator[Issue]:
    one = read(resource)
    yield from _code(one, definitions)
    if one.type not in _OWN_TYPES:
        yield Issue(f"Search parameters of the type {one.type} cannot be added.", "not-supported",
                    "SearchParameter.type")
        return
    yield from _expression(one, definitions)
    if one.type == "composite":
        yield from _components(one, definitions)


def _code(one: SearchParameter, definitions: Definitions) -> Iterator[Issue]:
    others = [other for other in definitions.own if other.url != one.url]
    if not _CODE.fullmatch(one.code):
        yield _issue("code", f"{one.code[:70]!r} cannot be a code here: 1 to 64 of A-Z, a-z, 0-9, - and _ are, with a "
                             "letter in front.")
    for type_ in _types(one, definitions):
        if one.code in definitions.standard.search_parameters(type_):
            yield _issue("code", f"{one.code} is a search parameter of {type_} by the standard.")
            return
        if taken := next((other for other in others if other.code == one.code
                          and type_ in _types(other, definitions)), None):
            yield _issue("code", f"{one.code} is a search parameter of {type_} already, defined by {taken.url}.")
            return
    if len(others) >= OWN_LIMIT:
        yield _issue("status", f"There are {OWN_LIMIT} active search parameters of this network, which is the limit.")


def _types(one: SearchParameter, definitions: Definitions) -> Sequence[str]:
    return [type_ for type_ in definitions.resource_types if set(one.base) & definitions.lineage(type_)]


def _expression(one: SearchParameter, definitions: Definitions) -> Iterator[Issue]:
    if not one.expression.strip():
        yield _issue("expression", "An active search parameter has an expression.")
        return
    if len(one.expression) > EXPRESSION_LIMIT:
        yield _issue("expression", f"An expression has at most {EXPRESSION_LIMIT} characters.")
        return
    parts = UNION.split(one.expression.strip())
    if broken := next((part for part in parts if not is_expression(part)), None):
        yield _issue("expression", f"{broken[:80]!r} is no FHIRPath; a union stands only at the outermost level.")
        return
    strange = [part for part in parts if not any(alternatives(part, base) and _named(part) for base in one.base)]
    if strange:
        yield _issue("expression", f"{strange[0][:80]!r} does not start at {' or '.join(one.base)}.")
        return
    for base in one.base:
        yield from _found(one, " | ".join(alternatives(one.expression, base)), base, definitions)


def _named(part: str) -> bool:
    return part.lstrip("(")[:1].isupper()


def _found(one: SearchParameter, expression: str, base: str, definitions: Definitions) -> Iterator[Issue]:
    """What is wrong with what the expression finds in resources of `base`."""
    if not expression:
        yield _issue("expression", f"Nothing of the expression starts at {base}.")
        return
    try:
        found = extractor(expression, base, definitions.standard).types
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        yield _issue("expression", f"The expression cannot be searched by: {_said(error)}")
        return
    if one.type != "composite" and found.isdisjoint(PARAMETER_TYPES[one.type].stores):
        yield _issue("expression", f"The expression finds {', '.join(sorted(found)) or 'nothing'} in {base}, which a "
                                   f"search parameter of the type {one.type} does not search.")


def _components(one: SearchParameter, definitions: Definitions) -> Iterator[Issue]:
    if len(one.components) < 2:
        yield _issue("component", "A composite has two components at least.")
    for i, (url, expression) in enumerate(one.components):
        known = [definitions.search_parameters(type_).values() for type_ in _types(one, definitions)]
        if not all(any(part.url == url and composite.stores(part.type) for part in found) for found in known):
            bases = " and ".join(one.base)
            yield _issue(f"component[{i}].definition",
                         f"{url[:200]} is no search parameter of {bases} that a composite can have.")
        elif not is_expression(expression):
            yield _issue(f"component[{i}].expression", f"{expression[:80]!r} is no FHIRPath.")
        else:
            yield from _component(one, f"component[{i}].expression", expression, definitions)


def _component(one: SearchParameter, place: str, expression: str, definitions: Definitions) -> Iterator[Issue]:
    for base in one.base:
        for part in alternatives(one.expression, base):
            whole = f"{base}.{expression.removeprefix(WHOLE)}" if expression.startswith(WHOLE) else ""
            try:
                extractor(whole or f"{part}.{expression}", base, definitions.standard)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                yield _issue(place, f"The expression cannot be searched by: {_said(error)}")
                return


def _said(error: Exception) -> str:
    """Our own words where there are some."""
    return str(error) if isinstance(error, Unsupported) else "it is not of the FHIRPath that search parameters use."


def _issue(element: str, text: str) -> Issue:
    return Issue(text, "invalid", f"SearchParameter.{element}")
