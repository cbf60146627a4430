"""A query as the store runs it: which criteria can drive, which only sift."""

from collections.abc import Iterator, Sequence

from fhir_server.search.criteria import Criteria, Link, Query
from fhir_server.search.term import Driven, Field, Keys, Stretch, Term
from fhir_server.store.plan import Filter, Join, Order, Plan, Range

# So many of what leads to a match are tried as the way to it: MongoDB weighs them all against each other.
DRIVERS = 6


def plan(query: Query, condition: Sequence[str] = ()) -> Plan:
    """Returns the plan of `query`. `condition` are keys that every match must have: what the caller may see.

    What a match is linked to must have them too: nobody learns of a resource by what refers to it.
    """
    required = tuple((one,) for one in condition)
    return Plan(
        type=query.type,
        keys=_keys(query, required),
        rest=_rest(query),
        joins=_joins(query, required) if query.links else (),
        ranges=_ranges(query, query.order),
        dated=_dated(query),
        order=query.order,
        after=query.after,
        limit=query.count,
    )


Keyed = Sequence[tuple[str, ...]]


def _joins(criteria: Criteria, required: Keyed) -> Sequence[Sequence[Join]]:
    return tuple(tuple(_join(one, required) for one in links) for links in criteria.links)


def _join(link: Link, required: Keyed) -> Join:
    """Whether there is a match is all that counts: in what order, and how many, does not."""
    linked = link.criteria
    return Join(link.code, Plan(
        type=linked.type,
        keys=_keys(linked, required),
        rest=_rest(linked),
        joins=_joins(linked, required),
        ranges=_ranges(linked, Order()),
        dated=_dated(linked),
    ), link.reverse)


def _keys(criteria: Criteria, required: Keyed) -> Keyed:
    return (*required, *(keys for one in criteria.terms for keys in _driving(one)))


def _driving(term: Term) -> Iterator[tuple[str, ...]]:
    """For each key that a match must have, which will do."""
    if _is_exact(term):
        yield term.keys
    elif driven := _driven(term):
        yield from driven.drivers[:DRIVERS]


def _rest(criteria: Criteria) -> Sequence[Filter]:
    return tuple(found for one in criteria.terms if not _is_exact(one) for found in _sifting(one))


def _dated(criteria: Criteria) -> Sequence[Filter]:
    return tuple(one.dated for one in criteria.terms if one.dated)


def _sifting(term: Term) -> Iterator[Filter]:
    driven = _driven(term)
    if driven is None:
        yield term.filter
        return
    yield from (Keys(one).filter for one in driven.drivers[DRIVERS:])
    if driven.decides:
        yield driven.decides


def _is_exact(term: Term) -> bool:
    return not term.negated and all(isinstance(one, Keys) for one in term.alternatives)


def _driven(term: Term) -> Driven | None:
    """What leads to every match of `term`: its only way, if that is led by keys."""
    if term.negated or len(term.alternatives) != 1:
        return None
    [only] = term.alternatives
    return only if isinstance(only, Driven) else None


def _ranges(criteria: Criteria, order: Order) -> Sequence[Range]:
    return tuple(found for one in criteria.terms if (found := _range(one, order)))


def _range(term: Term, order: Order) -> Range | None:
    """Where all matches of a term lie, its recheck apart: what a probe counts is what there would be to sift."""
    # Pages in the order of the clinical date start where the term does: nothing else need drive.
    if term.negated or len(term.alternatives) != 1 or (term.dated and order.by[0].field == "d"):
        return None
    match term.alternatives[0]:
        case Stretch() as stretch:
            return Range(stretch.bounds)
        case Field(index, filter):
            return Range(filter, index)
    return None
