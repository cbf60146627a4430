"""Changes of one element in JSON, where a primitive and its extensions stand in two members: `given` and `_given`."""

from typing import Any, Protocol

from fhir_server.outcome import Unprocessable
from fhir_server.patch.place import Place


class Value(Protocol):
    """See `value.Value`."""

    @property
    def member(self) -> str: ...
    @property
    def json(self) -> Any: ...
    @property
    def extra(self) -> Any: ...


def opened(place: Place) -> dict[str, Any]:
    """Returns what holds the elements of `place`, made where a primitive has none yet."""
    if isinstance(place.value, dict) or isinstance(place.extra, dict):
        return place.inside
    made: dict[str, Any] = {}
    if place.index is None:
        place.holder["_" + place.member] = made
    else:
        beside = _beside(place.holder, place.member)
        beside[place.index] = made
        place.holder["_" + place.member] = beside
    return made


def length(holder: dict[str, Any], member: str) -> int:
    """Returns how many elements of that name there are. Raises Unprocessable where there is no list."""
    both = (holder.get(member, []), holder.get("_" + member, []))
    if not all(isinstance(one, list) for one in both):
        raise Unprocessable(f"{member} is no list.")
    return max(map(len, both))


def put(holder: dict[str, Any], value: Value, instead: str = "") -> None:
    """Puts the value of an element that does not repeat, in the place of what stands under `instead`."""
    both = {value.member: value.json, "_" + value.member: value.extra}
    given = {name: one for name, one in both.items() if one is not None}
    for name in {instead, "_" + instead} - set(given):
        holder.pop(name, None)
    holder.update(given)


def insert(holder: dict[str, Any], value: Value, index: int) -> None:
    """Inserts an element in front of the one at `index`."""
    values, beside = _values(holder, value.member), _beside(holder, value.member)
    values.insert(index, value.json)
    beside.insert(index, value.extra)
    _keep(holder, value.member, values, beside)


def replace(holder: dict[str, Any], value: Value, index: int) -> None:
    """Puts an element of a list in the place of another."""
    values, beside = _values(holder, value.member), _beside(holder, value.member)
    values[index], beside[index] = value.json, value.extra
    _keep(holder, value.member, values, beside)


def move(holder: dict[str, Any], member: str, source: int, destination: int) -> None:
    """Moves an element within its list."""
    values, beside = _values(holder, member), _beside(holder, member)
    for one in (values, beside):
        one.insert(destination, one.pop(source))
    _keep(holder, member, values, beside)


def remove(place: Place) -> None:
    """Removes one element, and what would be empty without it."""
    if place.index is None:
        place.holder.pop(place.member, None)
        place.holder.pop("_" + place.member, None)
    else:
        values, beside = _values(place.holder, place.member), _beside(place.holder, place.member)
        del values[place.index], beside[place.index]
        _keep(place.holder, place.member, values, beside)
    if place.parent and not place.holder:
        _remove_empty(place.parent)


def _remove_empty(place: Place) -> None:
    """An object without members is none in FHIR; beside a primitive it goes alone."""
    if place.value in ({}, None):
        remove(place)
    elif place.index is None:
        place.holder.pop("_" + place.member, None)
    else:
        values, beside = _values(place.holder, place.member), _beside(place.holder, place.member)
        beside[place.index] = None
        _keep(place.holder, place.member, values, beside)


def _values(holder: dict[str, Any], member: str) -> list[Any]:
    return _padded(holder.get(member, []), length(holder, member))


def _beside(holder: dict[str, Any], member: str) -> list[Any]:
    return _padded(holder.get("_" + member, []), length(holder, member))


def _padded(values: list[Any], size: int) -> list[Any]:
    return [*values, *[None] * (size - len(values))]


def _keep(holder: dict[str, Any], member: str, values: list[Any], beside: list[Any]) -> None:
    for name, column in ((member, values), ("_" + member, beside)):
        if any(one is not None for one in column):
            holder[name] = column
        else:
            holder.pop(name, None)
