"""What a search really did at the database: its commands again, each with the database's own account of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion

from fhir_server.store.database import Document
from fhir_server.store.drive import HINTS, Driver, any_of, criteria, drive
from fhir_server.store.find import find
from fhir_server.store.join import settled
from fhir_server.store.plan import Join, Plan
from fhir_server.store.reading import Reading
from fhir_server.store.words import about, listed, rechecked

# Bounds of an index go beyond what Python takes for a date.
_CODEC: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


@dataclass(frozen=True)
class Step:
    """One command of a search.

    purpose   in words: what it looked for
    index     by which it went, by its name with us; COLLSCAN where by none
    keys      that were examined in it           documents  that were fetched
    rows      that were returned or counted      ms         that it took in the database
    """

    type: str
    purpose: str
    index: str
    keys: int
    documents: int
    rows: int
    ms: int


@dataclass(frozen=True)
class Explained:
    """A search as it was planned and as it went.

    decided  what was decided, part by part, in words
    steps    the commands to the database, in order
    rows     that are on the page
    """

    decided: Sequence[tuple[str, str]]
    steps: Sequence[Step]
    rows: int


def explained(plan: Plan, reading: Reading) -> Explained:
    """Runs a plan, and tells how. Raises TooCostly as `find` does."""
    watched = replace(reading, seen=[])
    page = find(plan, watched)
    return Explained(list(_decided(plan, reading)), steps(watched), len(page.rows))


def _decided(plan: Plan, reading: Reading) -> Iterator[tuple[str, str]]:
    lean = settled(plan, reading)
    driver = drive(lean, reading)
    drives, sifts = criteria(lean, driver)
    yield "drives", f"{listed(about(*drives))}, {_way(driver)}"
    if found := about(*sifts):
        yield "sifts", listed(found)
    if found := rechecked(*sifts):
        yield "rechecked", f"{listed(found)}, value by value"
    few = len(plan.joins) - len(lean.joins)
    if few:
        yield "joined first", f"{few} of {len(plan.joins)} criteria about other resources: few meet them"
    for ways in lean.joins:
        yield "joined last", " or ".join(_joined(one) for one in ways) + ", asked of each row"
    yield "order", listed([f"-{one.field}" if one.descending else one.field for one in plan.order.by])


def _joined(join: Join) -> str:
    what = listed(about(*map(any_of, join.plan.keys), *join.plan.rest))
    return f"{join.plan.type} {'that refers to it by' if join.reverse else 'that it refers to by'} {join.code}: {what}"


def _way(driver: Driver) -> str:
    if driver.few:
        return f"which is little: by the index {driver.index}, then sorted"
    return f"in order by the index {driver.index}" if driver.index else "in order by the index keys"


def steps(reading: Reading) -> list[Step]:
    """Returns what became of each command that was seen, run again."""
    return [_step(one, reading) for one in reading.seen or () if "count" not in one]


def _step(command: Document, reading: Reading) -> Step:
    told = reading.database.command(
        "explain", {name: value for name, value in command.items() if name != "maxTimeMS"},
        verbosity="executionStats", codec_options=_CODEC, maxTimeMS=reading.deadline.left_ms())
    stages = told.get("stages", ())
    cursor = stages[0].get("$cursor", {}) if stages else told
    account = cursor.get("executionStats", {})
    return Step(
        type=next(iter(command.values())),
        purpose=_purpose(command),
        index=" ".join(dict.fromkeys(_indexes(cursor.get("queryPlanner", {}).get("winningPlan", {})))) or "-",
        keys=account.get("totalKeysExamined", 0),
        documents=account.get("totalDocsExamined", 0),
        rows=int(stages[-1]["nReturned"] if stages and not _counts(command) else account.get("nReturned", 0)),
        ms=account.get("executionTimeMillis", 0),
    )


def _purpose(command: Mapping[str, Any]) -> str:
    if "aggregate" in command:
        stages = command["pipeline"]
        codes = listed(about(*(stage["$match"] for stage in stages if "$match" in stage)))
        return f"count by {codes}" if _counts(command) else f"go through what has {codes}"
    if "min" in command:
        return f"probe a stretch of {listed(about({'ix': command['min']['ix']}))}"
    codes = listed(about(command["filter"]))
    order = ", ".join(name if falls > 0 else f"-{name}" for name, falls in command.get("sort", {}).items())
    return f"find {codes}" + (f" in the order of {order}" if order else "") + f", up to {command['limit']:,}"


def _counts(command: Mapping[str, Any]) -> bool:
    return "aggregate" in command and "$group" in command["pipeline"][-1]


def _indexes(plan: Any) -> Iterator[str]:
    """The names of the indexes of a plan, whatever shape this version of MongoDB gives it."""
    if isinstance(plan, Mapping):
        if plan.get("stage") in ("COLLSCAN", "EOF"):
            yield str(plan["stage"])
        if "keyPattern" in plan:
            yield _named(plan["keyPattern"])
        for inner in plan.values():
            yield from _indexes(inner)
    elif isinstance(plan, (list, tuple)):
        for one in plan:
            yield from _indexes(one)


def _named(pattern: Mapping[str, Any]) -> str:
    """A wildcard index tells the field it went by."""
    fields = [name for name in pattern if name != "$_path"]
    if fields[0].startswith("s."):
        return "sorted"
    return next((name for name, index in HINTS.items() if list(index) == fields), "+".join(fields))
