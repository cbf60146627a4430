"""A query as the store runs it: which criteria can drive, which only sift."""

from collections.abc import Sequence

from fhir_server.search.query import Query
from fhir_server.search.term import Field, Keys, Stretch, Term
from fhir_server.store.plan import Filter, Plan, Range


def plan(query: Query, condition: Sequence[str] = ()) -> Plan:
    """Returns the plan of `query`. `condition` are keys that every match must have: what the caller may see."""
    exact = [_keys(one) for one in query.terms if _is_exact(one)]
    return Plan(
        type=query.type,
        keys=[*((one,) for one in condition), *exact],
        rest=[_filter(one) for one in query.terms if not _is_exact(one)],
        ranges=[found for one in query.terms if (found := _range(one, query))],
        dated=[one.dated for one in query.terms if one.dated],
        order=query.order,
        after=query.after,
        limit=query.count,
    )


def _is_exact(term: Term) -> bool:
    return not term.negated and all(isinstance(one, Keys) for one in term.alternatives)


def _keys(term: Term) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for one in term.alternatives if isinstance(one, Keys) for key in one.keys))


def _range(term: Term, query: Query) -> Range | None:
    """Where all matches of a term lie, its recheck apart: what a probe counts is what there would be to sift."""
    # Pages in the order of the clinical date start where the term does: nothing else need drive.
    if term.negated or len(term.alternatives) != 1 or (term.dated and query.order.by[0].field == "d"):
        return None
    match term.alternatives[0]:
        case Stretch() as stretch:
            return Range(stretch.bounds)
        case Field(index, filter):
            return Range(filter, index)
    return None


def _filter(term: Term) -> Filter:
    """All keys in one list: a list is looked up in once for each key of a resource, however long it is."""
    exact = [Keys(_keys(term))] if any(isinstance(one, Keys) for one in term.alternatives) else []
    others = [one for one in term.alternatives if not isinstance(one, Keys)]
    return {"$nor" if term.negated else "$or": [one.filter for one in (*exact, *others)]}
