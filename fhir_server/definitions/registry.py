"""What FHIR R4 says of its types, search parameters, compartments and operations: looked up here, decided nowhere else.

The records are facts of the official package, compiled beforehand (`compile.py`); the table is read once per process.
https://hl7.org/fhir/R4/conformance-module.html
"""

import gzip
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import msgspec

from fhir_server.config import Text

TABLE = Path(__file__).parent / "r4" / "facts.json.gz"


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule of an element, `severity` error or warning: https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

    key: str
    severity: str
    expression: str


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a structure: https://hl7.org/fhir/R4/elementdefinition.html

    name               as in the path, without `[x]`: `deceased`
    max                `1` or `*`
    types              `("boolean", "dateTime")`; empty where `content_reference` names the element whose content it has
    targets            resource types a Reference or canonical may point to; `("Resource",)` is any
    plain              a bare value that can have neither id nor extensions: `Element.id`, `Extension.url`
    binding            strength: required, extensible, preferred, example, or "" for none; `value_set` without version
    content_reference  a path such as `Observation.referenceRange`, or ""
    """

    name: str
    min: int = 0
    max: str = "1"
    types: tuple[str, ...] = ()
    choice: bool = False
    plain: bool = False
    targets: tuple[str, ...] = ()
    binding: str = ""
    value_set: str = ""
    content_reference: str = ""
    summary: bool = False
    modifier: bool = False
    invariants: tuple[Invariant, ...] = ()

    @property
    def repeats(self) -> bool:
        return self.max != "1"

    @property
    def json_names(self) -> dict[str, str]:
        """The names it may have in JSON, each with its type: `{"deceasedBoolean": "boolean", …}`.

        An element with content elsewhere has the type "".
        """
        if self.choice:
            return {self.name + one[0].upper() + one[1:]: one for one in self.types}
        return {self.name: self.types[0] if self.types else ""}


@dataclass(frozen=True, slots=True)
class Structure:
    """A resource type, a complex type or a primitive type, abstract ones included.

    kind        resource, complex-type or primitive-type
    base        the name of what it specialises, or ""
    pattern     of a primitive: the regular expression the specification gives, or ""
    elements    by path, without the root: `{"Patient.id": …, "Patient.contact.name": …, "Patient.deceased[x]": …}`
    invariants  of the root
    """

    name: str
    kind: str
    base: str = ""
    abstract: bool = False
    pattern: str = ""
    elements: Mapping[str, Element] = field(default_factory=dict)
    invariants: tuple[Invariant, ...] = ()

    def children(self, path: str) -> dict[str, Element]:
        """Returns the elements directly below `path` (`Patient`, `Patient.contact`), by path."""
        return {key: one for key, one in self.elements.items() if key.rpartition(".")[0] == path}


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """https://hl7.org/fhir/R4/searchparameter.html

    expression  FHIRPath; "" where the standard gives none (`_text`, `_content`, `_filter`, `_query`)
    components  of a composite: (URL of the component's definition, expression below the composite's)
    standard    FHIR's; False for one of this network, made from a SearchParameter resource
    """

    code: str
    url: str
    type: str
    expression: str = ""
    base: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    standard: bool = True


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; `use` is in or out, `parts` are those of a multi-part parameter."""

    name: str
    use: str
    min: int
    max: str
    type: str = ""
    search_type: str = ""
    parts: tuple["Parameter", ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """https://hl7.org/fhir/R4/operationdefinition.html · `id` is unique (`Patient-everything`), `code` is not."""

    id: str
    code: str
    url: str
    resources: tuple[str, ...] = ()
    system: bool = False
    type: bool = False
    instance: bool = False
    affects_state: bool = False
    parameters: tuple[Parameter, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of one package, as the compiled table holds them.

    compartments  name → resource type → codes of the search parameters that put a resource in it
    value_sets    URL → code system → codes: the value sets of required bindings that can be listed
    """

    version: str
    structures: Mapping[str, Structure]
    search_parameters: tuple[SearchParameter, ...]
    compartments: Mapping[str, Mapping[str, tuple[str, ...]]]
    value_sets: Mapping[str, Mapping[str, tuple[str, ...]]]
    operations: tuple[Operation, ...]


class Definitions:
    """The facts, ready to be asked. An unknown name raises KeyError: what comes from outside is checked before.

    standard  the same without what `with_parameters` added
    own       the search parameters of this network
    touched   resource types that have own ones, or some being built
    building  by resource type the codes that cannot be asked yet: not all resources are indexed by them
    progress  tells of a type how far that is: `43 %, about 2 min left`
    text      how text is made alike before it is searched
    """

    own: Sequence[SearchParameter] = ()
    touched: frozenset[str] = frozenset()
    building: Mapping[str, frozenset[str]] = {}
    progress: Callable[[str], str] = staticmethod(lambda type_: "")
    text = Text()

    def __init__(self, facts: Facts) -> None:
        self.standard = self
        self.version = facts.version
        self.structures = facts.structures
        self.operations = facts.operations
        self.resource_types = tuple(sorted(
            one.name for one in facts.structures.values() if one.kind == "resource" and not one.abstract))
        self._compartments = facts.compartments
        self._value_sets = facts.value_sets
        self._codes = {url: frozenset().union(*systems.values()) for url, systems in facts.value_sets.items()}
        self._parameters: dict[str, dict[str, SearchParameter]] = {}
        for one in facts.search_parameters:
            for type_ in one.base:
                self._parameters.setdefault(type_, {})[one.code] = one
        self._inherited = {name: self._with_inherited(name) for name in self.resource_types}

    def search_parameters(self, type_: str) -> Mapping[str, SearchParameter]:
        """Returns by code what can be searched on a resource type, the parameters of all resources included."""
        return self._inherited[type_]

    def with_parameters(
        self,
        own: Sequence[SearchParameter],
        building: Mapping[str, frozenset[str]] = {},
        progress: Callable[[str], str] | None = None,
    ) -> "Definitions":
        """Returns the standard's definitions and these search parameters besides; a standard one is never replaced."""
        made = copy(self.standard)
        made.own, made.building, made.progress = tuple(own), dict(building), progress or self.progress
        added = {name: {one.code: one for one in own if set(one.base) & self.lineage(name)}
                 for name in self.resource_types}
        made.touched = frozenset(building) | {name for name, found in added.items() if found}
        made._inherited = {name: {**added[name], **known} if added[name] else known
                           for name, known in self.standard._inherited.items()}
        return made

    def with_text(self, text: Text) -> "Definitions":
        """Returns the standard's definitions for a server that makes texts alike by these settings."""
        if text == self.text:
            return self
        made = copy(self.standard)
        made.text, made.standard = text, made
        return made

    def lineage(self, name: str) -> frozenset[str]:
        """Returns a type and all it specialises: Patient, DomainResource, Resource."""
        return self.lineage(self.structures[name].base) | {name} if name else frozenset()

    @property
    def compartments(self) -> tuple[str, ...]:
        """The types that have a compartment, e.g. `Patient`."""
        return tuple(self._compartments)

    def compartment(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Returns which search parameters put which types into the compartment `name`, e.g. `Patient`.

        A type that is never in it is absent; `{def}` stands for the resource that the compartment is about.
        https://hl7.org/fhir/R4/compartmentdefinition.html
        """
        return self._compartments[name]

    def structure(self, name: str) -> Structure:
        """Returns the structure of a type, e.g. `Patient`, `HumanName`, `date`, `DomainResource`."""
        return self.structures[name]

    def codes(self, value_set: str) -> frozenset[str] | None:
        """Returns the codes of a required value set, by its URL with or without `|version`; None if it has no list."""
        return self._codes.get(value_set.partition("|")[0])

    def systems(self, value_set: str) -> Mapping[str, tuple[str, ...]] | None:
        """Returns the same codes by code system."""
        return self._value_sets.get(value_set.partition("|")[0])

    def _with_inherited(self, name: str) -> dict[str, SearchParameter]:
        inherited = self._with_inherited(self.structures[name].base) if name else {}
        return {**inherited, **self._parameters.get(name, {})}


@cache
def load() -> Definitions:
    """Returns the definitions of FHIR R4 (4.0.1), read from the compiled table once per process."""
    return Definitions(msgspec.json.decode(gzip.decompress(TABLE.read_bytes()), type=Facts))
