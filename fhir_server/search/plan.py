"""A query as the store runs it: which criteria can drive, which only sift."""

from collections.abc import Sequence

from fhir_server.search.query import Query
from fhir_server.search.term import Field, Keys, Stretch, Term
from fhir_server.store.plan import Filter, Plan, Range


def plan(query: Query, condition: Sequence[str] = ()) -> Plan:
    """Returns the plan of `query`. `condition` are keys that every match must have: what the caller may see."""
    exact = [one for one in query.terms if _exact(one)]
    ranges = [one for one in query.terms if _single_range(one) and not _walked(one, query)]
    return Plan(
        type=query.type,
        keys=[*((one,) for one in condition), *map(_keys, exact)],
        ranges=[Range(one.filter, _index(one)) for term in ranges for one in term.alternatives],
        dated=[one.dated for one in query.terms if one.dated],
        rest=[_filter(one) for one in query.terms if one not in exact and one not in ranges],
        order=query.order,
        after=query.after,
        limit=query.count,
    )


def _exact(term: Term) -> bool:
    return not term.negated and all(isinstance(one, Keys) for one in term.alternatives)


def _single_range(term: Term) -> bool:
    return not term.negated and len(term.alternatives) == 1 and isinstance(term.alternatives[0], Stretch | Field)


def _walked(term: Term, query: Query) -> bool:
    """Pages in the order of the clinical date start where the term does: nothing else need drive."""
    return query.order.field == "d" and term.dated is not None


def _keys(term: Term) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for one in term.alternatives if isinstance(one, Keys) for key in one.keys))


def _index(alternative: object) -> str:
    return alternative.index if isinstance(alternative, Field) else "keys"


def _filter(term: Term) -> Filter:
    filters = [one.filter for one in term.alternatives]
    return {"$nor" if term.negated else "$or": filters}
