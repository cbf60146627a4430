"""Compiles the table of UCUM's units that ships with the server from the file that UCUM publishes.

    python -m fhir_server.search.ucum_table ucum-essence.xml

Codes, values and what each unit is defined by; none of the prose. https://ucum.org
"""

import csv
import sys
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from fhir_server.search.ucum import TABLE

_SPACE = {"u": "http://unitsofmeasure.org/ucum-essence"}
# Scales with a zero of their own: how far that lies above the zero of kelvin, in kelvin. Other scales are no lines.
_ZEROS = {"Cel": "273.15", "[degF]": "45967/180", "[degRe]": "273.15"}


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("kind", "code", "value", "unit", "zero"))
        table.writerows(rows(ElementTree.parse(arguments[0]).getroot()))


def rows(root: Element) -> Iterator[tuple[str, ...]]:
    """Yields `(kind, code, value, unit, zero)`; kind is prefix, base, metric (takes prefixes) or plain."""
    for one in root.findall("u:prefix", _SPACE):
        yield "prefix", one.attrib["Code"], _value(one).attrib["value"], "", ""
    for one in root.findall("u:base-unit", _SPACE):
        yield "base", one.attrib["Code"], "1", "", ""
    for one in root.findall("u:unit", _SPACE):
        yield from _unit(one)


def _unit(one: Element) -> Iterator[tuple[str, ...]]:
    code, value = one.attrib["Code"], _value(one)
    kind = "metric" if one.get("isMetric") == "yes" else "plain"
    if code in _ZEROS:
        defined = value.find("u:function", _SPACE)
        assert defined is not None
        yield kind, code, defined.attrib["value"], defined.attrib["Unit"], _ZEROS[code]
    elif one.get("isArbitrary") == "yes" and value.attrib["Unit"] == "1":
        # What a laboratory defines for itself is comparable to nothing else.
        yield kind, code, "1", "", ""
    elif one.get("isSpecial") != "yes":
        yield kind, code, value.attrib["value"], value.attrib["Unit"], ""


def _value(one: Element) -> Element:
    found = one.find("u:value", _SPACE)
    assert found is not None
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
