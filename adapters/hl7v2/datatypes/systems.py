"""Which FHIR system a coding system of HL7 v2 (table 0396, and its Japanese additions) stands for.

What only one facility knows gets a URI of that facility, `urn:kakehashi:1119999991:99XYZ`: two hospitals may use one
local name for different codes. JAHIS tables without a URI of JP Core get one for the whole network.
"""

import re
from functools import lru_cache

from adapters.hl7v2.fields import Scope

V2 = "http://terminology.hl7.org/CodeSystem/v2-"
MHLW = "http://jpfhir.jp/fhir/core/mhlw/"
JP = "http://jpfhir.jp/fhir/core/CodeSystem/"
MEDIS = "http://medis.or.jp/CodeSystem/"
JAHIS = "urn:kakehashi:CodeSystem:"
UCUM = "http://unitsofmeasure.org"

IDENTIFIER_TYPE = f"{V2}0203"
INSTITUTION = "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no"
PATIENT_NUMBER = "urn:oid:1.2.392.100495.20.3.51.1"
STAFF_NUMBER = "urn:oid:1.2.392.100495.20.3.41.1"

# Name in CWE.3 → the shape of the code (all of it) and its system, in this order.
SYSTEMS: dict[str, tuple[tuple[str, str], ...]] = {
    # Fewer digits: material (SPM-4) and group (OBR-4), which have no URI of their own.
    "JC10": ((r"\w{17}", f"{MEDIS}master-JLAC10-17digits"), (r".*", f"{JAHIS}JC10")),
    "HOT": ((r"\d{7}", f"{MEDIS}master-HOT7"), (r"\d{9}", f"{MEDIS}master-HOT9"), (r"\d{13}", f"{MEDIS}master-HOT13")),
    "HOT7": ((r".*", f"{MEDIS}master-HOT7"),),
    "HOT9": ((r".*", f"{MEDIS}master-HOT9"),),
    "HOT13": ((r".*", f"{MEDIS}master-HOT13"),),
    "YJ": ((r".*", "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code"),),
    "MDCDX2": ((r"\d{8}", f"{MEDIS}master-disease-keyNumber"), (r"\w{4}", f"{MEDIS}master-disease-exCode")),
    "I10": ((r"\w+", f"{MHLW}CodeSystem/ICD10-2013-full"), (r".*", "http://hl7.org/fhir/sid/icd-10")),
    "JANIS": ((r".*", "urn:oid:1.2.392.100495.10.3.100.5.27.6.1"),),
    "JAMISDP01": (
        (r"\w{16}", "http://jami.jp/CodeSystem/MedicationUsage"),
        (r"\w{8}", "http://jami.jp/CodeSystem/MedicationUsageAdditional"),
    ),
    "MR9P": ((r".*", f"{MHLW}CodeSystem/MedicationUnitMERIT9Code"),),
    "J-FAGY": (
        (r"J9F.*", f"{JP}JP_JfagyFoodAllergen_CS"),
        (r"J9N.*", f"{JP}JP_JfagyNonFoodNonMedicationAllergen_CS"),
        (r".*M.*", f"{JP}JP_JfagyMedicationAllergen_CS"),
    ),
    "HL70162": ((r".*", f"{JP}route-codes"),),
    "HL70241": ((r".*", f"{JP}HL70241"),),
    "HL70069": ((r"\d\w{1,2}", "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"),),
    "MML028": ((r".*", "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"),),
    "JHSI0001": ((r".*", f"{JP}JHSI0001"),),
    "JHSI0003": ((r".*", f"{JP}JHSI0003"),),
    "JHSP0002": ((r".*", f"{JP}JHSP0002"),),
    "JHSP0007": ((r".*", f"{JP}JHSP0007"),),
    "JHSD0006": ((r".*", f"{JP}JHSD0006"),),
    "LN": ((r".*", "http://loinc.org"),),
    "SCT": ((r".*", "http://snomed.info/sct"),),
    "RXNORM": ((r".*", "http://www.nlm.nih.gov/research/umls/rxnorm"),),
    "UCUM": ((r".*", UCUM),),
    "I9": ((r".*", "http://hl7.org/fhir/sid/icd-9-cm"),),
    "I9C": ((r".*", "http://hl7.org/fhir/sid/icd-9-cm"),),
    "I9CDX": ((r".*", "http://hl7.org/fhir/sid/icd-9-cm"),),
    "I10C": ((r".*", "http://hl7.org/fhir/sid/icd-10-cm"),),
    "ICD10": ((r".*", "http://hl7.org/fhir/sid/icd-10"),),
    "ICD-10": ((r".*", "http://hl7.org/fhir/sid/icd-10"),),
    "ICD-10-CM": ((r".*", "http://hl7.org/fhir/sid/icd-10-cm"),),
    "C4": ((r".*", "http://www.ama-assn.org/go/cpt"),),
    "CPT": ((r".*", "http://www.ama-assn.org/go/cpt"),),
    "NDC": ((r".*", "http://hl7.org/fhir/sid/ndc"),),
    "CVX": ((r".*", "http://hl7.org/fhir/sid/cvx"),),
    "DCM": ((r".*", "http://dicom.nema.org/resources/ontology/DCM"),),
}

# Families of tables: the name as a pattern, and the system made from what it caught.
FAMILIES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"HL7(\d{4})"), V2 + r"\1"),
    (re.compile(r"(JHS[A-Z]\w*|JSHR\w*)"), JAHIS + r"\1"),
    (re.compile(r"((?:urn:|https?://)\S+)"), r"\1"),
)


def system(name: str, code: str, scope: Scope) -> str:
    """Returns the URI of the coding system called `name`; one of the facility's own where nobody else knows it."""
    return _known(name, code) or scope.local(name)


# The codes of a region are some thousands, each in many messages.
@lru_cache(maxsize=8192)
def _known(name: str, code: str) -> str | None:
    for shape, uri in SYSTEMS.get(name, ()):
        if re.fullmatch(shape, code):
            return uri
    for family, uri in FAMILIES:
        found = family.fullmatch(name)
        if found:
            return found.expand(uri)
    return None


def is_local(uri: str) -> bool:
    """Whether `system` found nothing that others know."""
    return uri.startswith("urn:kakehashi:")
