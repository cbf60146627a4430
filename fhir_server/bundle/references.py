"""Conditional references: which resource `Patient?identifier=x|1` means, within the transaction that says so.

They are resolved last, so they mean what stands when all else is done: https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import reduce

from fhir_server.exchange import Request
from fhir_server.matches import Matches, criteria_in
from fhir_server.outcome import FHIRError, NotFound, PreconditionFailed
from fhir_server.store.plan import Plan

# Key of the index → ids of the resources that have it.
Keys = Mapping[str, Set[str]]


@dataclass(frozen=True)
class References:
    """Resolves them against what is stored and what the transaction writes.

    writes  whose ids are known, by type
    What is written counts where plain values are asked for (codes, identifiers, references), as they always are here.
    """

    matches: Matches
    writes: Mapping[str, Sequence[Request]]
    found: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Keys] = field(default_factory=dict)

    def match(self, reference: str) -> str:
        """Returns the `Type/id` meant. Raises PreconditionFailed where none or several match, BadRequest."""
        if reference not in self.found:
            self.found[reference] = self._match(reference)
        return self.found[reference]

    def _match(self, reference: str) -> str:
        type_, _, criteria = reference.partition("?")
        if type_ not in self.matches.context.definitions.resource_types:
            raise NotFound(f"There is no resource type {type_[:64]!r} in FHIR R4.")
        replaced = {one.id for one in self.writes.get(type_, ()) if one.interaction != "patch"}
        match = self.matches.match(type_, criteria_in(criteria), 1 + len(replaced))
        ids = {row.id for row in match.rows} - replaced | self._written(type_, match.plan)
        if len(ids) != 1:
            many = "several resources" if ids else "nothing"
            raise PreconditionFailed(f"The conditional reference {reference[:80]!r} matches {many}.")
        return f"{type_}/{ids.pop()}"

    def _written(self, type_: str, plan: Plan) -> Set[str]:
        """The ids of what is written here and meets the criteria."""
        if type_ not in self.writes:
            return frozenset()
        if plan.rest or plan.joins:
            # What is written here may meet them too: taking only what is stored could mean the wrong patient.
            raise PreconditionFailed(
                f"A conditional reference to a {type_}, where the transaction writes one, goes by exact values alone.")
        if type_ not in self.keys:
            self.keys[type_] = self._keys(type_)
        keys = self.keys[type_]
        met = [frozenset().union(*(keys.get(key, frozenset()) for key in one)) for one in plan.keys]
        return reduce(frozenset.intersection, met)

    def _keys(self, type_: str) -> Keys:
        context, keys = self.matches.context, dict[str, set[str]]()
        for one in self.writes[type_]:
            if one.interaction not in ("create", "update"):
                continue
            try:
                resource = {**one.resource, "id": one.id}
                context.check(resource)
                values = context.index.values(resource, context.now())
            except FHIRError as error:
                raise error.within(f"{one.place}.resource") from None
            for key in values.keys:
                keys.setdefault(key, set()).add(one.id)
        return keys
