"""HL7 v2 text → Message: segments and fields at once, repetitions and components when asked for.

HL7 v2.5 chapter 2: 2.5 (segments, fields), 2.7 (escape sequences). Everything is linear in the length of the text.
"""

import re
from collections import Counter
from dataclasses import dataclass

from adapters.hl7v2.charset import decode
from adapters.hl7v2.events import STRUCTURES
from adapters.hl7v2.unreadable import Unreadable as Unreadable

SEGMENTS = 20_000
FIELDS = 500
REPETITIONS = 2_000
FIELD = 8 * 1024 * 1024
BLANK_LINES = 50

NULL = '""'
_DEFAULTS = "^~\\&"
_NAME = re.compile(r"[A-Z][A-Z0-9]{2}")


@dataclass(frozen=True, slots=True)
class Separators:
    """The delimiters a message declares in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"

    def unescape(self, text: str) -> str:
        """Returns the text meant by `text`; a sequence of no known meaning stays as it stands."""
        if self.escape not in text or text == NULL:
            return "" if text == NULL else text
        mark = re.escape(self.escape)
        return re.sub(f"{mark}([^{mark}]{{1,64}}){mark}", self._meaning, text)

    def _meaning(self, found: re.Match[str]) -> str:
        code = found[1]
        plain = {"F": self.field, "S": self.component, "T": self.subcomponent, "R": self.repetition, "E": self.escape}
        if code in plain:
            return plain[code]
        if code in ("H", "N"):
            return ""
        formatting = re.fullmatch(r"\.(br|ce|sp|sk|in|ti|fi|nf) ?([+-]?\d{0,9})", code)
        if formatting:
            return _formatted(formatting[1], formatting[2])
        return _hexadecimal(code) if code[0] == "X" else found[0]


@dataclass(frozen=True, slots=True)
class Repetition:
    """One repetition of a field. `rep[3]`: first subcomponent of component 3, unescaped; "" where absent or null."""

    raw: str
    separators: Separators

    def __bool__(self) -> bool:
        return self.raw != ""

    def __getitem__(self, component: int) -> str:
        return self.sub(component, 1)

    def sub(self, component: int, subcomponent: int) -> str:
        """Returns one subcomponent, both counted from 1; "" where absent."""
        whole = _nth(self.raw, self.separators.component, component)
        return self.separators.unescape(_nth(whole, self.separators.subcomponent, subcomponent))

    def component(self, number: int) -> str:
        """Returns a component whole, its subcomponent separators included: free text that forgot to escape them."""
        return self.separators.unescape(_nth(self.raw, self.separators.component, number))

    @property
    def text(self) -> str:
        """The whole repetition, unescaped."""
        return self.separators.unescape(self.raw)


@dataclass(frozen=True, slots=True)
class Field:
    """One field. Falsy when nothing was sent; `null` when `""` (delete) was sent, which has no repetitions, no text."""

    raw: str
    separators: Separators
    literal: bool = False

    def __bool__(self) -> bool:
        return self.raw != ""

    def __getitem__(self, component: int) -> str:
        """Returns a component of the first repetition."""
        return self._first[component]

    @property
    def null(self) -> bool:
        return self.raw == NULL

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        if not self.raw or self.null:
            return ()
        if self.literal:
            return (self._first,)
        return tuple(Repetition(one, self.separators) for one in self.raw.split(self.separators.repetition))

    @property
    def text(self) -> str:
        """The first repetition whole, unescaped."""
        return self.raw if self.literal else self._first.text

    @property
    def _first(self) -> Repetition:
        return Repetition(self.raw.split(self.separators.repetition, 1)[0], self.separators)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. `segment[5]` is field 5 in the numbering of the standard (MSH-1 is the separator itself).

    number  among the segments of its name in the message, from 1
    """

    name: str
    number: int
    fields: tuple[str, ...]
    separators: Separators

    def __getitem__(self, number: int) -> Field:
        raw = self.fields[number] if number < len(self.fields) else ""
        return Field(raw, self.separators, number < 3 and self.name == "MSH")

    def place(self, field: int) -> str:
        """Returns where a field stands: `OBX[3]-5`, and `PID-5` for the first segment of a name."""
        return f"{self.name}[{self.number}]-{field}" if self.number > 1 else f"{self.name}-{field}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as a row of segments, MSH first; `structures.group` nests them."""

    segments: tuple[Segment, ...]

    def first(self, name: str) -> Segment | None:
        return next((one for one in self.segments if one.name == name), None)

    def all(self, name: str) -> list[Segment]:
        return [one for one in self.segments if one.name == name]

    @property
    def header(self) -> Segment:
        return self.segments[0]

    @property
    def type(self) -> str:
        """MSH-9.1, such as `ADT`."""
        return self.header[9][1]

    @property
    def event(self) -> str:
        """MSH-9.2, such as `A01`."""
        return self.header[9][2]

    @property
    def structure(self) -> str:
        """The structure table 0354 gives the event; often wrong, MSH-9.3 counts only for events not listed there."""
        declared, own = self.header[9][3], f"{self.type}_{self.event}" if self.event else self.type
        return STRUCTURES.get((self.type, self.event)) or (declared if declared.startswith(self.type) else own)

    @property
    def control(self) -> str:
        """MSH-10."""
        return self.header[10].text

    @property
    def version(self) -> str:
        """MSH-12.1, such as `2.5`."""
        return self.header[12][1]

    @property
    def sender(self) -> str:
        """MSH-4.1, the sending facility."""
        return self.header[4][1]

    @property
    def application(self) -> str:
        """MSH-3.1, the sending application."""
        return self.header[3][1]

    @property
    def time(self) -> str:
        """MSH-7.1 as it was sent."""
        return self.header[7][1]


def read(raw: bytes, charset: str = "ascii") -> Message:
    """Returns the message in `raw`, decoded by MSH-18; `charset` is the sender's own where that says nothing."""
    return parse(decode(raw, charset))


def parse(text: str) -> Message:
    """Returns the message in `text`, whose segments end with CR, LF or CRLF; where CR separates, LF is data.

    Raises Unreadable with a code of table 0357: 100 for what is no message, 102 for impossible delimiters, 207 beyond
    the limits above.
    """
    text = text.strip("\r\n")
    if not text.startswith("MSH") or len(text) < 8:
        raise Unreadable("There is no MSH segment at the beginning.", "100", "MSH")
    separators = _separators(text)
    lines = _lines(text)
    _check_limits(text, lines, separators)
    counted: Counter[str] = Counter()
    return Message(tuple(_segment(line, separators, counted) for line in lines))


def _lines(text: str) -> list[str]:
    if "\r" not in text:
        return [line for line in text.split("\n") if line]
    return [line for line in text.replace("\r\n", "\r").split("\r") if line]


def _separators(text: str) -> Separators:
    """MSH-2 has four characters (five from 2.7, the last for truncation); what is left out has its usual meaning."""
    field = text[3]
    declared = re.split(r"[\r\n]", text[4:64].split(field, 1)[0])[0]
    every = declared + _DEFAULTS[len(declared) :]
    legal = all(one.isascii() and one.isprintable() and not one.isalnum() and one != " " for one in field + every)
    if not legal or len({field, *every}) != 1 + len(every) or not 2 <= len(declared) <= 5:
        raise Unreadable("The delimiters are not distinct printable characters.", "102", "MSH-2")
    return Separators(field, *every[:4])


def _check_limits(text: str, lines: list[str], separators: Separators) -> None:
    if len(lines) > SEGMENTS:
        raise Unreadable(f"There are more than {SEGMENTS} segments.", "207")
    if len(text) > FIELD and max(map(len, lines)) > FIELD:
        raise Unreadable(f"A segment is longer than {FIELD} characters.", "207")
    if text.count(separators.repetition) > REPETITIONS and any(
        line.count(separators.repetition) > REPETITIONS for line in lines
    ):
        raise Unreadable(f"A segment has more than {REPETITIONS} repetitions.", "207")


def _segment(line: str, separators: Separators, counted: Counter[str]) -> Segment:
    fields = line.split(separators.field, FIELDS)
    name = fields[0]
    if not _NAME.fullmatch(name):
        raise Unreadable(f"Segment {counted.total() + 1} has no name.", "100")
    if len(fields) > FIELDS:
        raise Unreadable(f"A segment has more than {FIELDS} fields.", "207", name)
    counted[name] += 1
    if name == "MSH":
        fields.insert(1, separators.field)
    return Segment(name, counted[name], tuple(fields), separators)


def _nth(text: str, separator: str, number: int) -> str:
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""


def _formatted(command: str, count: str) -> str:
    """2.7.6: line breaks and skips become line ends; indents and fills are layout only."""
    if command in ("br", "ce"):
        return "\n"
    return "\n" * min(int(count or 1), BLANK_LINES) if command in ("sp", "sk") else ""


def _hexadecimal(code: str) -> str:
    """2.7.4: `X0D0A`; what is no text stays as it stands."""
    try:
        text = bytes.fromhex(code[1:]).decode("utf-8")
    except ValueError:
        return f"\\{code}\\"
    return text if all(one.isprintable() or one in "\t\r\n" for one in text) else f"\\{code}\\"
