from importlib.resources import files

import pytest
from fhir.resources.R4B.conceptmap import ConceptMap

from terminology.concept_maps import concept_map

NAMES = sorted(one.name[:-5] for one in files("terminology.concept_maps").iterdir() if one.name.endswith(".json"))


@pytest.mark.parametrize("name", NAMES)
def test_every_map_is_a_concept_map_of_its_own_name_without_a_code_twice(name: str) -> None:
    resource = concept_map(name)
    assert ConceptMap.model_validate(resource).id == name
    codes = [(group["source"], element["code"]) for group in resource["group"] for element in group["element"]]
    assert len(codes) == len(set(codes))
