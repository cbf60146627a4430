"""https://hl7.org/fhir/R4/location.html#positional"""

import math
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest
from fhir_server.search.parameters import special
from fhir_server.search.query import parse
from fhir_server.search.term import Rules
from tests.fhir_server.search.conftest import Search


def location(id: str, latitude: str, longitude: str) -> dict[str, Any]:
    return {"resourceType": "Location", "id": id,
            "position": {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}}


LOCATIONS = [
    location("tokyo", "35.6812", "139.7671"),
    location("shinagawa", "35.6285", "139.7388"),
    location("yokohama", "35.4660", "139.6223"),
    location("osaka", "34.7025", "135.4959"),
    location("suva", "-18.1416", "178.4419"),
    location("apia", "-13.8333", "-171.7667"),
    location("pole", "89.99", "0"),
    {"resourceType": "Location", "id": "nowhere"},
]


@pytest.mark.parametrize("query, found", [
    ("35.6812|139.7671", ["shinagawa", "tokyo"]),
    ("35.6812|139.7671|0", ["tokyo"]),
    ("35.6812|139.7671|6.5", ["shinagawa", "tokyo"]),
    ("35.6812|139.7671|6.2|km", ["tokyo"]),
    ("35.6812|139.7671|6500|m", ["shinagawa", "tokyo"]),
    ("35.6812|139.7671|30", ["yokohama", "shinagawa", "tokyo"]),
    ("35.6812|139.7671|20|[mi_i]", ["yokohama", "shinagawa", "tokyo"]),
    ("35.6812|139.7671|400", ["yokohama", "shinagawa", "tokyo"]),
    ("35.6812|139.7671|410", ["osaka", "yokohama", "shinagawa", "tokyo"]),
    ("-18|179.9|1200", ["apia", "suva"]),
    ("90|0|5", ["pole"]),
    ("0|0|20016", ["pole", "apia", "suva", "osaka", "yokohama", "shinagawa", "tokyo"]),
    ("35.6812|139.7671|6.2,34.7|135.5|1", ["osaka", "tokyo"]),
])
def test_near_finds_what_lies_within_the_distance(search: Search, query: str, found: list[str]) -> None:
    assert search(LOCATIONS, f"Location?near={query}") == found


def test_near_missing_finds_what_has_no_position(search: Search) -> None:
    assert search(LOCATIONS, "Location?near:missing=true") == ["nowhere"]


@pytest.mark.parametrize("value", ["35", "35|x", "91|0", "0|181", "0|0|-1", "0|0|1|parsec", "0|0|1|km|x", "nan|0"])
def test_what_is_no_place_is_refused(value: str) -> None:
    with pytest.raises(BadRequest):
        parse("Location", [("near", value)], load())


def moved(latitude: float, longitude: float, distance: float, bearing: float) -> tuple[float, float]:
    """Where one comes from a point by going straight on; angles in degrees, the distance in km."""
    north, way, arc = math.radians(latitude), math.radians(bearing), distance / special.EARTH_KM
    there = math.asin(math.sin(north) * math.cos(arc) + math.cos(north) * math.sin(arc) * math.cos(way))
    across = math.sin(way) * math.sin(arc) * math.cos(north)
    east = math.atan2(across, math.cos(arc) - math.sin(north) * math.sin(there))
    return math.degrees(there), (longitude + math.degrees(east) + 180) % 360 - 180


@given(st.floats(-85, 85), st.floats(-180, 180), st.floats(0, 400), st.floats(0, 1), st.floats(-180, 180))
def test_what_is_near_lies_in_the_squares_that_lead_there(
    latitude: float, longitude: float, distance: float, share: float, bearing: float
) -> None:
    there = moved(latitude, longitude, distance * share * 0.999, bearing)
    squares = special.squares("near", latitude, longitude, distance)
    position = dict(zip(("latitude", "longitude"), there, strict=True))
    keys = special.INDEXED["Location.position"]("near", position, Rules(UTC)).keys
    assert not squares or set(keys) & set(squares)
