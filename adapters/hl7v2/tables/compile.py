"""Writes `structures.json` from the version definitions of hl7apy: `python -m adapters.hl7v2.tables.compile`.

A structure is a list of items in order: a segment `"PID"` or a group `{"PATIENT": [...]}`; `?`, `*` and `+` after a
name mean optional, any number, at least one. Structures that 2.5 lacks come from the newer versions.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

VERSIONS = ("v2_5", "v2_5_1", "v2_6", "v2_7", "v2_8_2")

# Structures of Japanese senders: SS-MIX2 1.2 and later, PPR-01.
OWN: dict[str, list[Any]] = {
    "PPR_ZD1": [
        "MSH",
        "SFT*",
        "PID",
        {"PATIENT_VISIT?": ["PV1", "PV2?"]},
        {"PROBLEM+": ["PRB", "ZPR?", "NTE*", "ZPD*", "ZI1*", "ORC*"]},
    ],
}

_TIMES = {(0, 1): "?", (1, 1): "", (0, -1): "*", (1, -1): "+"}


def compiled() -> dict[str, list[Any]]:
    """Returns all structures by name."""
    found: dict[str, list[Any]] = {}
    for version in VERSIONS:
        messages = import_module(f"hl7apy.{version}.messages").MESSAGES
        found |= {name: _items(name, definition) for name, definition in messages.items() if name not in found}
    return dict(sorted((found | OWN).items()))


def _items(structure: str, definition: Any) -> list[Any]:
    kind, children = definition[:2]
    return [_item(structure, child, kind == "choice") for child in children if child[0] != "ANYHL7SEGMENT"]


def _item(structure: str, child: Any, choice: bool) -> Any:
    name, definition, times, kind = child
    mark = "?" if choice else _TIMES.get(tuple(times), "*")
    if kind == "SEG":
        return name + mark
    return {name.removeprefix(f"{structure}_") + mark: _items(structure, definition)}


def main() -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(items)}" for name, items in compiled().items()]
    path = Path(__file__).with_name("structures.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="ascii")


if __name__ == "__main__":
    main()
