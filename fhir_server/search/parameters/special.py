"""special: `near`, the places around a point. https://hl7.org/fhir/R4/location.html#positional

A position is stored as the point it is on a globe of radius 1; squares of a tenth of a degree, and of a whole one, lead
to what is near, and MongoDB works out the distance.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fhir_server.outcome import BadRequest
from fhir_server.search.term import NOTHING, Alternative, Asked, Driven, Entry, Filter, Rules, Sift, Store, key
from fhir_server.search.value import split, unescape

EARTH_KM = 6371.0088
DEFAULT_KM = 10.0
# Squares that one search is led by.
SQUARES = 200
# How many squares make a degree, the fine ones and the coarse.
_GRIDS = (10, 1)
_KM_PER_DEGREE = EARTH_KM * math.pi / 180
# In degrees, a tenth of a millimetre: more than floating point numbers lose.
_MARGIN = 1e-9
_UNITS_KM = {"km": 1.0, "m": 0.001, "cm": 0.00001, "[mi_us]": 1.609347219, "[mi_i]": 1.609344, "mi": 1.609344,
             "[nmi_i]": 1.852, "[ft_i]": 0.0003048}
_NUMBER = re.compile(r"[+-]?\d{1,9}(?:\.\d{1,20})?", re.ASCII)


def _position(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    if "latitude" not in value or "longitude" not in value:
        return NOTHING
    latitude, longitude = float(value["latitude"]), float(value["longitude"])
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return NOTHING
    keys = tuple(_square(code, grid, *_cell(latitude, longitude, grid)) for grid in _GRIDS)
    return Entry(keys, ({"p": code, **_point(latitude, longitude)},))


INDEXED: Mapping[str, Store] = {"Location.position": _position}


def _point(latitude: float, longitude: float) -> dict[str, float]:
    north, east = math.radians(latitude), math.radians(longitude)
    return {"x": math.cos(north) * math.cos(east), "y": math.cos(north) * math.sin(east), "z": math.sin(north)}


def _cell(latitude: float, longitude: float, grid: int) -> tuple[int, int]:
    return math.floor(latitude * grid), math.floor(longitude * grid)


def _square(code: str, grid: int, north: int, east: int) -> str:
    return key(code, f"{grid}:{north},{(east + 180 * grid) % (360 * grid) - 180 * grid}")


def near(asked: Asked, value: str) -> Alternative:
    """`latitude|longitude|distance|unit`, all but the first two left out at will: 10 km then."""
    latitude, longitude, distance = _read(asked, value)
    centre = _point(latitude, longitude)
    decides = _within(asked.code, centre, distance)
    leading = squares(asked.code, latitude, longitude, distance)
    return Driven((leading,), decides) if leading else Sift(decides)


def _read(asked: Asked, value: str) -> tuple[float, float, float]:
    pieces = [unescape(one).strip() for one in split(value, "|")]
    latitude, longitude, distance, unit = [*pieces, "", "", ""][:4]
    numbers = [latitude, longitude, distance or "0"]
    if not 2 <= len(pieces) <= 4 or not all(map(_NUMBER.fullmatch, numbers)) or (unit or "km") not in _UNITS_KM:
        raise BadRequest(f"{asked.parameter.code}: {value!r} is no latitude|longitude|distance|unit such as "
                         f"35.68|139.76|5|km; units are {', '.join(_UNITS_KM)}.")
    found = float(latitude), float(longitude), float(distance) * _UNITS_KM[unit or "km"] if distance else DEFAULT_KM
    if abs(found[0]) > 90 or abs(found[1]) > 180 or found[2] < 0:
        raise BadRequest(f"{asked.parameter.code}: {value!r} lies nowhere on Earth, or its distance is negative.")
    return found


def squares(code: str, latitude: float, longitude: float, distance: float) -> tuple[str, ...]:
    """The squares that hold all that is near; the coarse ones where the fine are too many, none near a pole."""
    north = distance / _KM_PER_DEGREE + _MARGIN
    if abs(latitude) + north > 89:
        return ()
    # A circle reaches furthest east on its side nearer to the pole.
    east = north / math.cos(math.radians(abs(latitude) + north))
    for grid in _GRIDS:
        (low, left), (high, right) = (
            _cell(latitude - north, longitude - east, grid), _cell(latitude + north, longitude + east, grid))
        if (high - low + 1) * (right - left + 1) <= SQUARES:
            return tuple(dict.fromkeys(_grid(code, grid, range(low, high + 1), range(left, right + 1))))
    return ()


def _grid(code: str, grid: int, norths: range, easts: range) -> Iterator[str]:
    return (_square(code, grid, north, east) for north in norths for east in easts)


def _within(code: str, centre: Mapping[str, float], distance: float) -> Filter:
    """Compares straight lines through the globe: longer arcs have longer chords."""
    chord = 2 * math.sin(min(distance / EARTH_KM, math.pi) / 2)
    squared = [{"$pow": [{"$subtract": [f"$$this.{axis}", middle]}, 2]} for axis, middle in centre.items()]
    here = {"$filter": {"input": "$iv", "cond": {"$eq": ["$$this.p", code]}}}
    close = {"$map": {"input": here, "as": "this", "in": {"$lte": [{"$add": squared}, chord**2]}}}
    return {"$expr": {"$anyElementTrue": [close]}}


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": near}
