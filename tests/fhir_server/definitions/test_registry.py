"""The facts of FHIR R4, as the specification prints them."""

import pytest

from fhir_server.definitions.registry import Element, Invariant, Parameter, SearchParameter, load

DEFINITIONS = load()


def test_it_is_r4_with_its_146_resource_types() -> None:
    assert DEFINITIONS.version == "4.0.1"
    assert len(DEFINITIONS.resource_types) == 146
    assert DEFINITIONS.resource_types[:2] == ("Account", "ActivityDefinition")
    assert DEFINITIONS.resource_types == tuple(sorted(DEFINITIONS.resource_types))
    assert {"Resource", "DomainResource"}.isdisjoint(DEFINITIONS.resource_types)


@pytest.mark.parametrize("path, element", [
    ("Patient.id", Element("id", types=("id",), plain=True, summary=True)),
    ("Patient.gender", Element(
        "gender", types=("code",), binding="required", value_set="http://hl7.org/fhir/ValueSet/administrative-gender",
        summary=True)),
    ("Patient.deceased[x]", Element(
        "deceased", types=("boolean", "dateTime"), choice=True, summary=True, modifier=True)),
    ("Patient.link", Element("link", max="*", types=("BackboneElement",), summary=True, modifier=True)),
    ("Patient.link.other", Element(
        "other", min=1, types=("Reference",), targets=("Patient", "RelatedPerson"), summary=True)),
    ("Patient.contact", Element("contact", max="*", types=("BackboneElement",), invariants=(Invariant(
        "pat-1", "error", "name.exists() or telecom.exists() or address.exists() or organization.exists()"),))),
    ("Observation.component.referenceRange", Element(
        "referenceRange", max="*", content_reference="Observation.referenceRange")),
    ("Extension.url", Element("url", min=1, types=("uri",), plain=True)),
    ("Bundle.entry.resource", Element("resource", types=("Resource",), summary=True)),
])
def test_an_element_has_the_facts_of_its_definition(path: str, element: Element) -> None:
    assert DEFINITIONS.structure(path.partition(".")[0]).elements[path] == element


@pytest.mark.parametrize("name, facts", [
    ("Patient", ("resource", "DomainResource", False)),
    ("DomainResource", ("resource", "Resource", True)),
    ("Resource", ("resource", "", True)),
    ("HumanName", ("complex-type", "Element", False)),
    ("Age", ("complex-type", "Quantity", False)),
    ("positiveInt", ("primitive-type", "integer", False)),
])
def test_a_structure_says_its_kind_and_what_it_specialises(name: str, facts: tuple[str, str, bool]) -> None:
    structure = DEFINITIONS.structure(name)
    assert (structure.kind, structure.base, structure.abstract) == facts


def test_a_primitive_has_the_pattern_of_the_specification() -> None:
    assert DEFINITIONS.structure("oid").pattern == r"urn:oid:[0-2](\.(0|[1-9][0-9]*))+"


def test_a_choice_has_one_json_name_for_each_type() -> None:
    elements = DEFINITIONS.structure("Patient").elements
    assert elements["Patient.deceased[x]"].json_names == {
        "deceasedBoolean": "boolean", "deceasedDateTime": "dateTime"}
    assert elements["Patient.name"].json_names == {"name": "HumanName"}


def test_children_are_the_elements_directly_below() -> None:
    assert list(DEFINITIONS.structure("Patient").children("Patient.link")) == [
        "Patient.link.id", "Patient.link.extension", "Patient.link.modifierExtension",
        "Patient.link.other", "Patient.link.type"]


@pytest.mark.parametrize("type_, parameter", [
    ("Patient", SearchParameter(
        "birthdate", "http://hl7.org/fhir/SearchParameter/individual-birthdate", "date",
        "Patient.birthDate | Person.birthDate | RelatedPerson.birthDate", ("Patient", "Person", "RelatedPerson"))),
    ("Consent", SearchParameter(
        "_id", "http://hl7.org/fhir/SearchParameter/Resource-id", "token", "Resource.id", ("Resource",))),
    ("CarePlan", SearchParameter(
        "_text", "http://hl7.org/fhir/SearchParameter/DomainResource-text", "string", "", ("DomainResource",))),
    ("Observation", SearchParameter(
        "code-value-quantity", "http://hl7.org/fhir/SearchParameter/Observation-code-value-quantity", "composite",
        "Observation", ("Observation",), (), (
            ("http://hl7.org/fhir/SearchParameter/clinical-code", "code"),
            ("http://hl7.org/fhir/SearchParameter/Observation-value-quantity", "value.as(Quantity)")))),
    ("Patient", SearchParameter(
        "organization", "http://hl7.org/fhir/SearchParameter/Patient-organization", "reference",
        "Patient.managingOrganization", ("Patient",), ("Organization",))),
])
def test_a_search_parameter_has_the_facts_of_its_definition(type_: str, parameter: SearchParameter) -> None:
    assert DEFINITIONS.search_parameters(type_)[parameter.code] == parameter


def test_a_resource_without_narrative_is_not_searched_by_its_text() -> None:
    assert set(DEFINITIONS.search_parameters("Binary")) == {
        "_content", "_filter", "_id", "_lastUpdated", "_profile", "_query", "_security", "_source", "_tag"}


@pytest.mark.parametrize("name, type_, parameters", [
    ("Patient", "Observation", ("subject", "performer")),
    ("Patient", "Patient", ("link",)),
    ("Encounter", "Encounter", ("{def}",)),
    ("Device", "Observation", ("subject", "device")),
    ("Practitioner", "Encounter", ("practitioner", "participant")),
    ("RelatedPerson", "Patient", ("link",)),
])
def test_a_compartment_names_the_parameters_that_lead_into_it(
    name: str, type_: str, parameters: tuple[str, ...]
) -> None:
    assert DEFINITIONS.compartment(name)[type_] == parameters


def test_a_type_that_is_never_in_the_compartment_is_absent() -> None:
    assert "Organization" not in DEFINITIONS.compartment("Patient")


def test_required_codes_are_listed_with_or_without_version() -> None:
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    codes = frozenset({"male", "female", "other", "unknown"})
    assert DEFINITIONS.codes(gender) == DEFINITIONS.codes(gender + "|4.0.1") == codes
    assert DEFINITIONS.systems(gender) == {
        "http://hl7.org/fhir/administrative-gender": ("female", "male", "other", "unknown")}


def test_only_code_systems_from_elsewhere_have_no_list() -> None:
    elements = [one for structure in DEFINITIONS.structures.values() for one in structure.elements.values()]
    required = {one.value_set for one in elements if one.binding == "required"}
    assert {one for one in required if DEFINITIONS.codes(one) is None} == {
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/ucum-units",
        "http://loinc.org/vs/LL379-9",
    }


def test_an_operation_says_where_it_is_called_and_with_what() -> None:
    everything = next(one for one in DEFINITIONS.operations if one.id == "Patient-everything")
    assert (everything.code, everything.resources) == ("everything", ("Patient",))
    assert (everything.system, everything.type, everything.instance) == (False, True, True)
    assert everything.parameters[0] == Parameter("start", "in", 0, "1", "date")
    assert len(DEFINITIONS.operations) == 47
