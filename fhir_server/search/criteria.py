"""What a search asks, once it is read: criteria about a resource, and about others it is linked to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import encode
from fhir_server.outcome import BadRequest
from fhir_server.search import page
from fhir_server.search.index import JST
from fhir_server.search.searchable import Searchable, searchable
from fhir_server.search.term import Codes, Term
from fhir_server.store.plan import Order, Position

Pair = tuple[str, str]

# Links from one resource to the next: `subject.organization.name` has two.
DEPTH_LIMIT = 5
# What a page token need not be made for.
_UNTOLD = ("_count", "_total")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Link:
    """A resource that meets `criteria` and that a match refers to under `code`, as stored; `reverse`: it to the match.
    """

    code: str
    criteria: "Criteria"
    reverse: bool = False


# Any of the links will do.
Links = tuple[Link, ...]
Criterion = Term | Links


@dataclass(frozen=True)
class Criteria:
    """What a resource of `type` must meet: all terms, and of each of `links` one."""

    type: str
    terms: Sequence[Term] = ()
    links: Sequence[Links] = ()

    def all_links(self) -> Iterator[Link]:
        """Yields the links, and the links of what they lead to."""
        for one in (link for found in self.links for link in found):
            yield one
            yield from one.criteria.all_links()

    def all_terms(self) -> Iterator[Term]:
        """Yields the terms, those of linked resources too."""
        yield from self.terms
        for link in self.all_links():
            yield from link.criteria.terms


@dataclass(frozen=True)
class Include:
    """Resources to be added to what is found. https://hl7.org/fhir/R4/search.html#include

    source   the type that refers, "*" any
    code     of the parameter by which it does, "*" any
    target   only this type, "" any
    reverse  what refers to what was found is added (_revinclude), instead of what that refers to
    iterate  also for what was added
    """

    source: str
    code: str
    target: str = ""
    reverse: bool = False
    iterate: bool = False


@dataclass(frozen=True)
class Query(Criteria):
    """A search as it will be run.

    terms     all must hold; references come first
    count     rows of a page; 0 asks only for the total
    total     "accurate", "estimate", or "" where none is asked for
    after     the page starts behind it
    includes  what is added to each page
    used      what was really searched, for the self link: `[("name:exact", "山田"), …]`
    ignored   what a lenient search left out, in words
    path      of what is searched: `Observation`, `Patient/p1/Observation`
    """

    order: Order = field(default_factory=Order)
    count: int = 20
    total: str = ""
    after: Position | None = None
    includes: Sequence[Include] = ()
    used: Sequence[Pair] = ()
    ignored: Sequence[str] = ()
    path: str = ""

    @property
    def identity(self) -> str:
        """Tells this search from others, whatever the size of the page."""
        return encode([self.path, [pair for pair in self.used if pair[0] not in _UNTOLD]]).decode()

    def page(self, position: Position, key: bytes, now: datetime) -> str:
        """Returns the value of `_page` for the page behind `position`."""
        return page.token(position, self.identity, key, now)


@dataclass(frozen=True)
class Reader:
    """What reading a search needs beside its text: see `query.parse`.

    types  of all that the search finds
    depth  how many links away from the resources that are looked for
    """

    type: str
    definitions: Definitions
    zone: tzinfo = JST
    base: str = ""
    codes: Codes | None = None
    count_limit: int = 1000
    types: Sequence[str] = ()
    depth: int = 0

    @cached_property
    def known(self) -> Searchable:
        return searchable(self.type, self.definitions)

    def linked(self, type_: str, name: str) -> "Reader":
        """Returns the reader of what resources of `type_` must meet. Raises BadRequest where `name` leads too far."""
        if self.depth >= DEPTH_LIMIT:
            raise BadRequest(f"{name[:60]}: a chain has at most {DEPTH_LIMIT} links.")
        return replace(self, type=type_, depth=self.depth + 1)
