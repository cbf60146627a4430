"""FHIRPath of search parameters, compiled once to Python: the library's parse tree becomes a few closures.

The definitions give each step its type, so a choice is a handful of fixed keys (`Observation.value` reads
`valueQuantity`, `valueString`, …) and nothing is looked up while a resource is read.
https://hl7.org/fhir/R4/fhirpath.html · https://hl7.org/fhir/R4/searchparameter.html
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fhirpathpy.parser import parse

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.fhirjson import Resource

Node = Mapping[str, Any]
Get = Callable[[Any], Sequence[Any]]

_REFERENCE_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+(?:/_history/[A-Za-z0-9.-]+)?(?:\|.*)?$")
_BACKBONE = ("BackboneElement", "Element")
_SUPERTYPES = ("Resource", "DomainResource")


class Unsupported(ValueError):
    """An expression with something that no search parameter of R4 uses."""


class Item(NamedTuple):
    """A value an expression found, and its FHIR type: `CodeableConcept`, `dateTime`, or a path: `Patient.link`."""

    value: Any
    type: str


class Branch(NamedTuple):
    """Values of one type below the focus; an expression is several of them, for a choice or a union.

    member  of the resource without which nothing is found: `valueQuantity`; "" where there is no such one
    """

    type: str
    get: Get
    value_set: str = ""
    repeats: bool = False
    member: str = ""


@dataclass(frozen=True)
class Extractor:
    """Reads the items of one expression out of a resource.

    types       all that it can ever find
    value_sets  those that its codes are required to come from
    repeats     one of its elements may have several values
    """

    branches: tuple[Branch, ...]

    @property
    def types(self) -> frozenset[str]:
        return frozenset(one.type for one in self.branches)

    @property
    def value_sets(self) -> frozenset[str]:
        return frozenset(one.value_set for one in self.branches if one.value_set)

    @property
    def repeats(self) -> bool:
        return any(one.repeats for one in self.branches)

    def __call__(self, resource: Resource) -> list[Item]:
        return [Item(value, one.type) for one in self.branches for value in one.get(resource)]


def extractor(expression: str, type_: str, definitions: Definitions) -> Extractor:
    """Returns what reads `expression` from resources of `type_`; parts that start at another type find nothing.

    Raises Unsupported for an element that does not exist or a function no search parameter of R4 needs.
    """
    # The library is typed, its parser is not.
    tree: Node = parse(expression)["children"][0]  # type: ignore[no-untyped-call]
    return Extractor(_Compiler(type_, definitions).compile(tree, (Branch(type_, _itself),)))


def _itself(value: Any) -> Sequence[Any]:
    return (value,)


@dataclass(frozen=True)
class _Compiler:
    """Turns nodes of the parse tree into branches. `focus` is what the node is applied to."""

    root: str
    definitions: Definitions

    def compile(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        try:
            compile_node = _NODES[node["type"]]
        except KeyError:
            raise Unsupported(f"{node['type']} in a search parameter's expression.") from None
        return compile_node(self, node, focus)

    def term(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return self.compile(node["children"][0], focus)

    def invocation(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        left, right = node["children"]
        return self.compile(right, self.compile(left, focus))

    def union(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return tuple(branch for child in node["children"] for branch in self.compile(child, focus))

    def member(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        name = _name(node)
        if name[0].isupper():
            return tuple(one for one in focus if name == self.root or name in _SUPERTYPES)
        return tuple(branch for one in focus for branch in self.step(one, name))

    def step(self, branch: Branch, name: str) -> Iterable[Branch]:
        """Returns the branches `name` leads to: one, or one for each type of a choice."""
        place = f"{branch.type}.{name}"
        elements = self.definitions.structure(branch.type.partition(".")[0]).elements
        element = elements.get(place) or elements.get(f"{place}[x]")
        if element is None:
            raise Unsupported(f"There is no element {place}.")
        value_set = element.value_set if element.binding == "required" else ""
        for key, type_ in element.json_names.items():
            member = key if branch.get is _itself else branch.member
            repeats = branch.repeats or element.repeats
            yield Branch(_type_at(place, type_, element), _read(branch.get, key), value_set, repeats, member)

    def function(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        name, *parameters = node["children"][0]["children"]
        arguments = parameters[0]["children"] if parameters else []
        try:
            compile_function = _FUNCTIONS[_name(name)]
        except KeyError:
            raise Unsupported(f"The function {_name(name)}().") from None
        return compile_function(self, arguments, focus)

    def type_expression(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        left, right = node["children"]
        return _TYPE_OPERATORS[node["terminalNodeText"][0]](self.compile(left, focus), right["text"])

    def indexer(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        left, right = node["children"]
        index = int(right["text"])
        found = self.compile(left, focus)
        if len(found) > 1:
            raise Unsupported("An index into several elements at once.")
        return tuple(one._replace(get=_nth(one.get, index)) for one in found)

    def equality(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        left, right = (_together(self.compile(child, focus)) for child in node["children"])
        return (Branch("boolean", _equal(left, right, node["terminalNodeText"][0] == "=")),)

    def conjunction(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        left, right = (_together(self.compile(child, focus)) for child in node["children"])
        return (Branch("boolean", _both(left, right)),)

    def literal(self, node: Node, focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        kind, text = node["children"][0]["type"], node["text"]
        type_, read = _LITERALS[kind]
        value = (read(text),)
        return (Branch(type_, lambda _: value),)

    def where(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        """Each branch with only the values for which the criterion is true."""
        return tuple(
            one._replace(get=_filtered(one.get, _together(self.compile(arguments[0], (Branch(one.type, _itself),)))))
            for one in focus
        )

    def of_type(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return _of_type(focus, arguments[0]["text"])

    def exists(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        get = _together(focus)
        return (Branch("boolean", lambda value: (bool(get(value)),)),)

    def negation(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        get = _together(focus)
        return (Branch("boolean", lambda value: [not one for one in get(value)]),)

    def extension(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        url = _string(arguments[0]["text"])
        return tuple(Branch("Extension", _extensions(_read(one.get, "extension"), url)) for one in focus)

    def has_extension(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        return self.exists((), self.extension(arguments, focus))

    def resolve(self, arguments: Sequence[Node], focus: tuple[Branch, ...]) -> tuple[Branch, ...]:
        """What a reference leads to, as far as the reference itself tells: its type."""
        get = _together(focus)
        return (Branch("Resource", lambda value: [{"resourceType": _target(one)} for one in get(value)]),)


def _type_at(place: str, type_: str, element: Element) -> str:
    """The type of the element; a backbone element, and what refers to one, is known by its path."""
    return element.content_reference or (place if type_ in _BACKBONE else type_)


def _of_type(branches: tuple[Branch, ...], type_: str) -> tuple[Branch, ...]:
    return tuple(one for one in branches if one.type == type_)


def _is(branches: tuple[Branch, ...], type_: str) -> tuple[Branch, ...]:
    """Whether each value is of `type`; of a Resource only the value itself tells."""
    return tuple(Branch("boolean", _type_test(one, type_)) for one in branches)


def _type_test(branch: Branch, type_: str) -> Get:
    get = branch.get
    if branch.type == "Resource":
        return lambda value: [one.get("resourceType") == type_ for one in get(value)]
    same = branch.type == type_
    return lambda value: [same for _ in get(value)]


def _read(get: Get, key: str) -> Get:
    """The values under `key`, arrays flattened. A null keeps the place of a primitive that has only extensions."""
    if get is _itself:
        return _member(key)

    def read(value: Any) -> Sequence[Any]:
        below = get(value)
        return [found for one in below for found in _values(one.get(key))] if below else below

    return read


def _member(key: str) -> Get:
    """The same of the resource itself, where most values are: a call less for each."""

    def read(value: Any) -> Sequence[Any]:
        found = value.get(key)
        if type(found) is list:
            return found if None not in found else [one for one in found if one is not None]
        return () if found is None else (found,)

    return read


def _values(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if type(value) is list:
        return value if None not in value else [one for one in value if one is not None]
    return (value,)


def _nth(get: Get, index: int) -> Get:
    return lambda value: get(value)[index : index + 1]


def _filtered(get: Get, criterion: Get) -> Get:
    return lambda value: [one for one in get(value) if True in criterion(one)]


def _extensions(get: Get, url: str) -> Get:
    return lambda value: [one for one in get(value) if one.get("url") == url]


def _together(branches: tuple[Branch, ...]) -> Get:
    if len(branches) == 1:
        return branches[0].get
    return lambda value: [found for one in branches for found in one.get(value)]


def _equal(left: Get, right: Get, equal: bool) -> Get:
    """Empty when a side is empty, as FHIRPath says of `=` and `!=`."""

    def compare(value: Any) -> Sequence[Any]:
        one, other = list(left(value)), list(right(value))
        return ((one == other) is equal,) if one and other else ()

    return compare


def _both(left: Get, right: Get) -> Get:
    """Three-valued `and`: false wins over nothing, nothing over true."""

    def both(value: Any) -> Sequence[Any]:
        sides = [*left(value)[:1], *right(value)[:1]]
        if False in sides:
            return (False,)
        return (True,) if len(sides) == 2 else ()

    return both


def _target(reference: Any) -> str:
    if isinstance(reference, str):
        text, type_ = reference, ""
    else:
        text, type_ = reference.get("reference", ""), reference.get("type", "")
    match = _REFERENCE_TYPE.search(text)
    return match.group(1) if match else type_


def _name(node: Node) -> str:
    identifier = node if node["type"] == "Identifier" else node["children"][0]
    return str(identifier["text"]).strip("`")


def _string(text: str) -> str:
    return text[1:-1].replace("\\'", "'")


_NODES: Mapping[str, Callable[[_Compiler, Node, tuple[Branch, ...]], tuple[Branch, ...]]] = {
    "TermExpression": _Compiler.term,
    "ParenthesizedTerm": _Compiler.term,
    "InvocationTerm": _Compiler.term,
    "InvocationExpression": _Compiler.invocation,
    "UnionExpression": _Compiler.union,
    "MemberInvocation": _Compiler.member,
    "FunctionInvocation": _Compiler.function,
    "TypeExpression": _Compiler.type_expression,
    "IndexerExpression": _Compiler.indexer,
    "EqualityExpression": _Compiler.equality,
    "AndExpression": _Compiler.conjunction,
    "LiteralTerm": _Compiler.literal,
}

_FUNCTIONS: Mapping[str, Callable[[_Compiler, Sequence[Node], tuple[Branch, ...]], tuple[Branch, ...]]] = {
    "where": _Compiler.where,
    "as": _Compiler.of_type,
    "ofType": _Compiler.of_type,
    "exists": _Compiler.exists,
    "not": _Compiler.negation,
    "extension": _Compiler.extension,
    "hasExtension": _Compiler.has_extension,
    "resolve": _Compiler.resolve,
}

_TYPE_OPERATORS = {"as": _of_type, "is": _is}

_LITERALS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "StringLiteral": ("string", _string),
    "BooleanLiteral": ("boolean", lambda text: text == "true"),
    "NumberLiteral": ("integer", int),
}
