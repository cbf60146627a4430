from pathlib import Path

import pytest

from adapters.merge import MERGE
from adapters.record import When
from tests.adapters.hl7v2.messages.test_cases import CASES, records


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_whatever_is_merged_has_a_rule_and_stays_the_same_when_it_comes_again(case: Path) -> None:
    for entry in (one for record in records(case) for one in record.entries if one.when is When.MERGED):
        assert MERGE[entry.resource["resourceType"]](entry.resource, entry.resource) == entry.resource
