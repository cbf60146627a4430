"""The official R4 examples (CC0): what is put is what is got, decimals digit by digit."""

from typing import Any

from fhir_server.fhirjson import decode
from tests.r4_examples import WRONG, examples
from tests.server import Client


def said(raw: bytes) -> Any:
    """The content of a resource: all but what the server adds to meta."""
    resource = decode(raw)
    meta = {name: value for name, value in resource.pop("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**resource, "meta": meta}


def test_every_example_comes_back_as_it_was_put(fhir: Client) -> None:
    different = []
    for name, raw in examples():
        if name in WRONG:
            continue
        resource = decode(raw)
        where = f"{resource['resourceType']}/{resource['id']}"
        put = fhir.send("PUT", where, raw)
        # Decimal("1.00") == Decimal("1.0"), but their texts differ.
        if repr(said(fhir.get(where).content)) != repr(said(raw)):
            different.append((name, put.status_code, put.text[:300]))
    assert different == []
