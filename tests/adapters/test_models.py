"""Everything that the adapters emit over all sample data is valid R4, by our Validator and by models of others."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

import pytest
from fhir.resources.R4B import get_fhir_model_class

from adapters.record import Record
from fhir_server import fhirjson
from fhir_server.definitions.registry import load
from fhir_server.fhirjson import Resource
from fhir_server.validation.structure import Validator
from tests.adapters.hl7v2.messages import test_cases, test_order_samples, test_samples
from tests.adapters.ssmix2 import test_kinds
from tests.adapters.ssmix2.conftest import unpacked

FACILITIES = ("1119999991", "1119999992")
# The 18 types of R4 that fhir.resources.R4B lacks: R4B renamed or dropped them. The adapters emit none of them.
ABSENT = frozenset((
    "EffectEvidenceSynthesis", "MedicinalProduct", "MedicinalProductAuthorization", "MedicinalProductContraindication",
    "MedicinalProductIndication", "MedicinalProductIngredient", "MedicinalProductInteraction",
    "MedicinalProductManufactured", "MedicinalProductPackaged", "MedicinalProductPharmaceutical",
    "MedicinalProductUndesirableEffect", "RiskEvidenceSynthesis", "SubstanceNucleicAcid", "SubstancePolymer",
    "SubstanceProtein", "SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification",
))
EMITTED = frozenset((
    "AllergyIntolerance", "Condition", "Coverage", "DiagnosticReport", "Encounter", "MedicationRequest", "Observation",
    "Organization", "Patient", "ServiceRequest", "Specimen",
))


def emitted(records: Iterable[Record]) -> list[Resource]:
    """The resources as they are sent."""
    found = [entry.resource for record in records for entry in record.entries]
    return [fhirjson.decode(fhirjson.encode(one)) for one in found]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> list[Resource]:
    """All resources of all golden cases, sample messages and sample storages."""
    folder = tmp_path_factory.mktemp("storages")
    twins, own = (unpacked(f"{name}.tar.gz", folder) for name in ("ssmixtwins-20", "own"))
    mapped = [*test_samples.mapped()[0].values(), *test_order_samples.mapped()[0].values()]
    return emitted(chain(
        *map(test_cases.records, test_cases.CASES),
        *mapped,
        test_kinds.records(twins / "ssmixtwins-20"),
        *(test_kinds.records(own / "std", replace(test_kinds.FACILITY, number=one)) for one in FACILITIES),
    ))


def test_these_types_have_no_model() -> None:
    assert frozenset(type_ for type_ in load().resource_types if not has_model(type_)) == ABSENT
    assert len(ABSENT) == 18


def has_model(type_: str) -> bool:
    try:
        return bool(get_fhir_model_class(type_))
    except ValueError:
        return False


def test_these_types_are_emitted_and_all_of_them_have_a_model(everything: list[Resource]) -> None:
    assert {one["resourceType"] for one in everything} == EMITTED
    assert not EMITTED & ABSENT


def test_everything_emitted_is_valid(everything: list[Resource]) -> None:
    validator = Validator(load())
    for one in everything:
        validator.check(one)


def test_everything_emitted_is_a_typed_model(everything: list[Resource]) -> None:
    for one in everything:
        get_fhir_model_class(one["resourceType"]).model_validate(one)
