"""XML as FHIR means it, to and from the dicts of JSON, without loss: decimals keep their digits, narratives their text.

https://hl7.org/fhir/R4/xml.html · What may stand where, and in which order, is read from the definitions.
Parsed by expat. A document type is refused where it begins, so there is no entity to expand and nothing to fetch.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from typing import Any
from xml.parsers import expat

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import DIGITS, Resource
from fhir_server.outcome import BadRequest, TooLarge
from fhir_server.validation.primitives import PRIMITIVES
from fhir_server.validation.schema import Property, Schemas

FHIR, XHTML = "http://hl7.org/fhir", "http://www.w3.org/1999/xhtml"
# Says where a schema lies; FHIR allows it and it means nothing.
IGNORED = "http://www.w3.org/2001/XMLSchema-instance schemaLocation"
# What bytes become in memory is bounded, and how deep it nests.
ELEMENTS_LIMIT, DEPTH_LIMIT = 2_000_000, 200


@dataclass(frozen=True, slots=True)
class Member:
    """One JSON name of an object and what it is in XML, where it has the same name.

    key        where its content is described: a type, a path such as `Patient.contact`, or `Resource`
    attribute  an XML attribute: the id of an element, the url of an extension
    """

    name: str
    key: str
    repeats: bool
    attribute: bool
    primitive: bool


@dataclass(frozen=True, slots=True)
class Table:
    """The members of an object in the order of the definitions; `order` is their place by JSON name, `_name` too."""

    members: Sequence[Member]
    order: Mapping[str, int]
    by_name: Mapping[str, Member]


class Xml:
    """Reads and writes resources. The table of a type is made when the first resource of that type comes."""

    def __init__(self, definitions: Definitions) -> None:
        self.types = frozenset(definitions.resource_types)
        self._schemas = Schemas(definitions)
        self._tables: dict[str, Table] = {}

    def read(self, raw: bytes) -> Resource:
        """Returns the resource in `raw`, UTF-8. Raises BadRequest naming the line and the element, TooLarge."""
        return _Reader(raw, self).resource()

    def write(self, resource: Resource, pretty: bool = False) -> bytes:
        """Returns a valid resource as an XML document in UTF-8."""
        writer = _Writer(self, "\n" if pretty else "")
        writer.resource(resource, 0, f' xmlns="{FHIR}"')
        return ('<?xml version="1.0" encoding="UTF-8"?>' + "".join(writer.out)).encode("utf-8")

    def table(self, key: str) -> Table:
        """Returns what may stand in an object described by `key`."""
        if key not in self._tables:
            self._tables[key] = _table(self._schemas.properties(key))
        return self._tables[key]


def _table(properties: Mapping[str, Property]) -> Table:
    members = [_member(name, one) for name, one in properties.items() if not one.companion]
    order = {one.name: place for place, one in enumerate(members)}
    return Table(members, {**order, **{"_" + name: place for name, place in order.items()}},
                 {one.name: one for one in members})


def _member(name: str, one: Property) -> Member:
    # The id of a resource is an element like any other.
    attribute = one.element.plain and one.key != "id"
    return Member(name, one.key, one.element.repeats, attribute, one.key in PRIMITIVES and one.key != "xhtml")


# --- writing

_SPECIAL = re.compile('[&<>"\t\n\r\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def _escaped(text: str) -> str:
    """White space as numbers, for a reader makes blanks of it; what XML has no way to write as U+FFFD."""
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0], "\ufffd"), text) if _SPECIAL.search(text) else text


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


class _Writer:
    def __init__(self, xml: Xml, line: str) -> None:
        self._xml, self._line = xml, line
        self.out: list[str] = []

    def resource(self, resource: Resource, depth: int, namespace: str = "") -> None:
        self._element(resource["resourceType"], namespace, resource, resource["resourceType"], depth)

    def _element(self, name: str, attributes: str, holder: Resource, key: str, depth: int) -> None:
        start, members = self._start(depth), self._held(holder, key)
        if not members:
            self.out.append(f"{start}<{name}{attributes}/>")
            return
        self.out.append(f"{start}<{name}{attributes}>")
        for member in members:
            self._member(member, holder, depth + 1)
        self.out.append(f"{start}</{name}>")

    def _start(self, depth: int) -> str:
        return self._line + "  " * depth if self._line else ""

    def _held(self, holder: Resource, key: str) -> list[Member]:
        table = self._xml.table(key)
        places = sorted({table.order[name] for name in holder if name in table.order})
        return [table.members[place] for place in places if not table.members[place].attribute]

    def _member(self, member: Member, holder: Resource, depth: int) -> None:
        value, told = holder.get(member.name), holder.get("_" + member.name) if member.primitive else None
        if not member.repeats:
            self._one(member, value, told, depth)
            return
        for one, its in zip_longest(value or (), told or ()):
            self._one(member, one, its, depth)

    def _one(self, member: Member, value: Any, told: Resource | None, depth: int) -> None:
        if member.primitive:
            self._primitive(member.name, value, told, depth)
        elif member.key == "xhtml":
            self.out.append(self._start(depth) + _division(value))
        elif member.key == "Resource":
            start = self._start(depth)
            self.out.append(f"{start}<{member.name}>")
            self.resource(value, depth + 1)
            self.out.append(f"{start}</{member.name}>")
        else:
            self._element(member.name, self._attributes(value, member.key), value, member.key, depth)

    def _primitive(self, name: str, value: Any, told: Resource | None, depth: int) -> None:
        said = "" if value is None else f' value="{_escaped(_text(value))}"'
        if told:
            self._element(name, self._attributes(told, "Element") + said, told, "Element", depth)
        else:
            self.out.append(f"{self._start(depth)}<{name}{said}/>")

    def _attributes(self, holder: Resource, key: str) -> str:
        by_name = self._xml.table(key).by_name
        return "".join(f' {name}="{_escaped(str(holder[name]))}"' for name in ("id", "url")
                       if name in holder and by_name[name].attribute)


def _division(text: str) -> str:
    """The narrative as it can stand in XML; one that is not XHTML is shown as the text it is."""
    text = text.strip()
    if _is_division(text):
        return text
    with_namespace = text.replace("<div", f'<div xmlns="{XHTML}"', 1)
    if _is_division(with_namespace):
        return with_namespace
    return f'<div xmlns="{XHTML}">{_escaped(text)}</div>'


def _is_division(text: str) -> bool:
    """Says whether it is one XHTML <div> that needs nothing from around it."""
    names: list[str] = []
    parser = _parser(names.append)
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, BadRequest, UnicodeEncodeError):
        return False
    return text.startswith("<div") and names[0] == f"{XHTML} div"


# --- reading

def _parser(start: Callable[[str], Any]) -> expat.XMLParserType:
    parser = expat.ParserCreate("UTF-8", " ")
    parser.StartElementHandler = lambda name, _: start(name)
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = _refuse_types
    return parser


def _refuse_types(*_: object) -> None:
    raise BadRequest("A document type (DTD) is not accepted: FHIR's XML has none.")


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _whole(text: str) -> int:
    if not re.fullmatch("-?(?:0|[1-9][0-9]{0,9})", text):
        raise ValueError
    return int(text)


def _decimal(text: str) -> Decimal | int:
    if len(text) > DIGITS or not re.fullmatch(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?", text):
        raise ValueError
    # As in JSON, where 5 and 5.0 are told apart.
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


VALUES: Mapping[str, Callable[[str], Any]] = {
    "boolean": _truth, "integer": _whole, "positiveInt": _whole, "unsignedInt": _whole, "decimal": _decimal}


@dataclass(slots=True)
class _Open:
    """An element whose end has not come. `value` is that of a primitive, `holder` what else is in it."""

    member: Member
    key: str
    holder: Resource = field(default_factory=dict)
    value: Any = None
    place: str = ""


_ROOT = Member("", "Resource", False, False, False)


class _Reader:
    def __init__(self, raw: bytes, xml: Xml) -> None:
        self._raw, self._xml = raw, xml
        self._open = [_Open(_ROOT, "Resource")]
        self._count = 0
        # In a narrative: how deep, and where it began.
        self._inside, self._began = 0, 0
        parser = self._parser = _parser(lambda name: None)
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.XmlDeclHandler = self._declared

    def resource(self) -> Resource:
        try:
            self._parser.Parse(self._raw, True)
        except expat.ExpatError as error:
            raise BadRequest(
                f"This is not well-formed XML: {expat.ErrorString(error.code)}, line {error.lineno}.") from None
        found: Resource = self._open[0].value
        return found

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() not in ("utf-8", "us-ascii"):
            raise BadRequest(f"The XML is declared as {encoding[:40]}; FHIR is UTF-8.")

    def _fault(self, text: str) -> BadRequest:
        return BadRequest(f"Line {self._parser.CurrentLineNumber}: {text}", expression=self._place() or None)

    def _place(self) -> str:
        return ".".join(one.place for one in self._open if one.place)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._inside:
            self._inside += 1
            return
        self._count += 1
        if self._count > ELEMENTS_LIMIT:
            raise TooLarge(f"The body has more than {ELEMENTS_LIMIT} elements.")
        if len(self._open) > DEPTH_LIMIT:
            raise self._fault(f"the XML is nested deeper than {DEPTH_LIMIT} elements.")
        namespace, _, local = name.rpartition(" ")
        parent = self._open[-1]
        if parent.key == "Resource":
            self._start_resource(parent, namespace, local, attributes)
        else:
            self._start_member(parent, namespace, local, attributes)

    def _start_resource(self, parent: _Open, namespace: str, local: str, attributes: dict[str, str]) -> None:
        if namespace != FHIR or local not in self._xml.types:
            raise self._fault(f"<{local[:64]}> of the namespace {namespace[:80]!r} is no resource of FHIR R4.")
        if parent.value is not None:
            raise self._fault(f"<{local}> is a second resource where one can stand.")
        holder = {"resourceType": local, **self._attributes(local, local, attributes)}
        self._open.append(_Open(parent.member, local, holder, place="" if len(self._open) > 1 else local))

    def _start_member(self, parent: _Open, namespace: str, local: str, attributes: dict[str, str]) -> None:
        member = self._xml.table(parent.key).by_name.get(local)
        if member is None or member.attribute or namespace != (XHTML if member.key == "xhtml" else FHIR):
            raise self._fault(f"<{local[:64]}> of the namespace {namespace[:80]!r} is no element of {parent.key}.")
        if member.key == "xhtml":
            self._inside, self._began = 1, self._parser.CurrentByteIndex
            self._open.append(_Open(member, "xhtml", place=local))
            return
        opened = _Open(member, "Element" if member.primitive else member.key, place=_numbered(member, parent))
        self._open.append(opened)
        if member.primitive and "value" in attributes:
            opened.value = self._value(member, attributes.pop("value"))
        opened.holder.update(self._attributes(local, opened.key, attributes))

    def _value(self, member: Member, text: str) -> Any:
        try:
            return VALUES.get(member.key, str)(text)
        except (KeyError, ValueError):
            raise self._fault(f"{text[:60]!r} is no {member.key}.") from None

    def _attributes(self, local: str, key: str, attributes: dict[str, str]) -> dict[str, str]:
        members = self._xml.table(key).by_name if attributes else {}
        for name in attributes:
            if name != IGNORED and not (name in members and members[name].attribute):
                raise self._fault(f"<{local}> has no attribute {name[:64]}.")
        return {name: value for name, value in attributes.items() if name != IGNORED}

    def _characters(self, text: str) -> None:
        if not self._inside and text.strip():
            raise self._fault(f"the text {text.strip()[:40]!r} stands outside of an attribute.")

    def _end(self, _: str) -> None:
        if self._inside:
            self._inside -= 1
            if self._inside:
                return
        closed, parent = self._open.pop(), self._open[-1]
        if closed.key == "xhtml":
            self._put(parent, closed.member, self._narrative())
        elif parent.key == "Resource":
            parent.value = _complete(closed, self._xml)
        elif closed.key == "Resource":
            if closed.value is None:
                raise self._fault(f"<{closed.member.name}> holds no resource.")
            self._put(parent, closed.member, closed.value)
        elif closed.member.primitive:
            self._put_primitive(parent, closed)
        else:
            self._put(parent, closed.member, _complete(closed, self._xml))

    def _narrative(self) -> str:
        end = self._parser.CurrentByteIndex
        if self._raw.startswith(b"</div", end):
            end = self._raw.index(b">", end) + 1
        text = self._raw[self._began:end].decode("utf-8")
        if not _is_division(text):
            raise self._fault("a narrative is a <div> without prefix, which declares the namespaces it uses itself.")
        return text

    def _put(self, parent: _Open, member: Member, value: Any) -> None:
        if member.repeats:
            parent.holder.setdefault(member.name, []).append(value)
        elif member.name in parent.holder:
            raise self._fault(f"<{member.name}> stands twice.")
        else:
            parent.holder[member.name] = value

    def _put_primitive(self, parent: _Open, closed: _Open) -> None:
        """Values and what is told of them stand in two arrays: https://hl7.org/fhir/R4/json.html#primitive"""
        member, told = closed.member, closed.holder or None
        if closed.value is None and told is None:
            raise self._fault(f"<{member.name}> has neither a value nor an extension.")
        if member.repeats:
            parent.holder.setdefault(member.name, []).append(closed.value)
            parent.holder.setdefault("_" + member.name, []).append(told)
            return
        if member.name in parent.holder or "_" + member.name in parent.holder:
            raise self._fault(f"<{member.name}> stands twice.")
        parent.holder.update({name: one for name, one in ((member.name, closed.value), ("_" + member.name, told))
                              if one is not None})


def _numbered(member: Member, parent: _Open) -> str:
    return f"{member.name}[{len(parent.holder.get(member.name, ()))}]" if member.repeats else member.name


def _complete(closed: _Open, xml: Xml) -> Resource:
    """What was read, without the arrays that hold nothing but null."""
    return {name: value for name, value in closed.holder.items()
            if not isinstance(value, list) or any(one is not None for one in value)}
