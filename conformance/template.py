"""Requests with `{{variables}}` filled in, and the marks on everything a run makes."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from conformance.http import Answer

# The system of the tag that names the run.
RUNS = "urn:kakehashi:conformance:run"
# https://terminology.hl7.org/CodeSystem/v3-ActReason: health data made for tests.
TEST = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}

# Too large to be written down: 100 KB of text, a thousand ids, 5,000 entries, JSON deeper than a parser should follow.
LARGE = {
    "long": "a" * 100_000,
    "many": ",".join(f"none-{number}" for number in range(1000)),
    "entries": ", ".join('{"request": {"method": "GET", "url": "Basic/none-%d"}}' % number for number in range(5000)),
    "deep": '{"resourceType": "Patient", "contact": ' + "[" * 20_000 + "]" * 20_000 + "}",
}

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_VARIABLE = re.compile(r"\{\{(\w+)\}\}")
_PLACE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64})(?:/_history/[^/]+)?$")


# What is sent and not stored.
_UNMARKED = ("Bundle", "Parameters")


class Unknown(Exception):
    """A request needs what is not there: a resource that could not be made, or what an earlier answer lacked."""


def decode(text: str) -> Any:
    """Returns the JSON in `text`, its decimals with their digits."""
    return _decoder.decode(text)


def encode(value: Any) -> str:
    """Returns `value` as JSON."""
    return _encoder.encode(value).decode()


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """Returns `value` with each `{{name}}` in its texts replaced. Raises Unknown."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found[1], names), value)
    if isinstance(value, Mapping):
        return {filled(name, names): filled(one, names) for name, one in value.items()}
    return [filled(one, names) for one in value] if isinstance(value, list) else value


def _value(name: str, names: Mapping[str, str]) -> str:
    if name not in names:
        raise Unknown(f"{name} is not there: it could not be made.")
    return names[name]


def stamped(text: str, names: Mapping[str, str]) -> str:
    """Returns the JSON `text`, filled in, each resource in it marked as test data and with the tag `names["tag"]`."""
    return encode(_marked(decode(filled(text, names)), names["tag"]))


def _marked(resource: dict[str, Any], tag: str) -> dict[str, Any]:
    if "entry" in resource and resource["resourceType"] == "Bundle":
        return {**resource, "entry": [_marked_entry(one, tag) for one in resource["entry"]]}
    if resource["resourceType"] in _UNMARKED:
        return resource
    meta = resource.get("meta", {})
    marks = {"security": [*meta.get("security", ()), TEST],
             "tag": [*meta.get("tag", ()), {"system": RUNS, "code": tag}]}
    return {**resource, "meta": {**meta, **marks}}


def _marked_entry(entry: dict[str, Any], tag: str) -> dict[str, Any]:
    return {**entry, "resource": _marked(entry["resource"], tag)} if "resource" in entry else entry


def created(answer: Answer) -> Iterator[str]:
    """Yields Type/id of each resource that `answer` says was created."""
    locations = [answer.headers.get("Location", "")] if answer.status == 201 else []
    for entry in answer.entries:
        response = entry.get("response", {})
        if str(response.get("status", "")).startswith("201"):
            locations.append(response.get("location", ""))
    yield from (place[1] for place in map(_PLACE.search, locations) if place)
