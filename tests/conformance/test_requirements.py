"""The requirements are whole: each can be read, asks for something, and uses what is there."""

import re
from collections import Counter
from collections.abc import Iterator

import fhirpathpy
import pytest

from conformance import template
from conformance.requirement import FIXTURES, LEVELS, STANDARD, Chapter, chapters
from fhir_server.definitions import registry
from fhir_server.validation.structure import Validator

CHAPTERS = chapters()
ALL = [one for chapter in CHAPTERS for one in chapter.requirements]
GIVEN = {"run", "base", "scope", "tag", "origin", *template.LARGE}
RESOURCES = {
    name: resource
    for file in FIXTURES.iterdir()
    for name, resource in template.decode(file.read_text(encoding="utf-8")).items()
}
NAMES = {name: f"id-of-{name}" for name in RESOURCES}


def test_no_resource_has_the_name_of_a_variable() -> None:
    assert set(RESOURCES) & GIVEN == set()


def test_there_are_some_hundred_and_no_id_is_there_twice() -> None:
    assert len(ALL) > 500
    assert [id_ for id_, number in Counter(one.id for one in ALL).items() if number > 1] == []


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.id)
def test_a_requirement_says_what_it_asks_in_two_languages_and_where_it_stands(chapter: Chapter) -> None:
    for one in chapter.requirements:
        assert one.level in LEVELS
        assert one.title and one.rule and one.steps
        assert re.search(r"[ぁ-んァ-ヶ一-龠]", one.title_ja) or not re.search(r"[a-z]{4} [a-z]{2}", one.title_ja)
        assert one.section.startswith(STANDARD) and ".html" in one.section


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.id)
def test_each_variable_is_made_before_it_is_used(chapter: Chapter) -> None:
    for one in chapter.requirements:
        known = GIVEN | set(NAMES)
        for step in one.steps:
            written = repr((step.request, step.headers, step.resource, step.body, step.expect))
            used = set(re.findall(r"\{\{(\w+)\}\}", written))
            assert used - known == set()
            known |= set(step.save)
            named = [name for kind in ("found", "finds", "order", "included") for name in step.expect.get(kind, ())]
            assert set(named) - known == set()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda one: one.id)
def test_each_path_is_fhirpath_and_each_body_json(chapter: Chapter) -> None:
    for one in chapter.requirements:
        saved = {name: "x" for step in one.steps for name in step.save}
        names = {**NAMES, "run": "k", "base": "http://x", "tag": "k", **saved}
        for step in one.steps:
            for path in paths(step.expect, step.save):
                fhirpathpy.compile(template.filled(path, names))
            if step.resource:
                template.stamped(step.resource, names)


def paths(expect: object, save: object) -> Iterator[str]:
    assert isinstance(expect, dict) and isinstance(save, dict)
    yield from expect.get("have", {})
    yield from expect.get("true", [])
    yield from (path for path in save.values() if path != "created" and not path.startswith("header:"))


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(registry.load())


@pytest.mark.parametrize("name", RESOURCES)
def test_what_the_searches_look_for_is_valid(name: str, validator: Validator) -> None:
    text = template.stamped(template.encode(RESOURCES[name]), {**NAMES, "run": "k", "tag": "k"})
    validator.check(template.decode(text))
