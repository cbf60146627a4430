"""Each package imports only what stands to its right; wiring names strings and nobody imports the wiring."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Lowest first; what shares a line may know each other.
LAYERS = [
    {"terminology", "profiles", "conformance"},
    {"fhir_server.outcome", "fhir_server.config", "fhir_server.fhirjson", "fhir_server.options",
     "fhir_server.supervise", "fhir_server.log", "fhir_server.places",
     "fhir_server.trace", "fhir_server.visible"},
    {"fhir_server.definitions", "fhir_server.fhirpath"},
    {"fhir_server.store"},
    {"fhir_server.validation", "fhir_server.search", "fhir_server.patch"},
    {"fhir_server.access", "fhir_server.parameters"},
    {"fhir_server.context", "fhir_server.exchange", "fhir_server.fhirxml", "fhir_server.shape"},
    {"fhir_server.bundle", "fhir_server.transact", "fhir_server.matches"},
    {"fhir_server.interactions"},
    {"fhir_server.web", "fhir_server.rest", "fhir_server.status", "fhir_server.terminal", "fhir_server.replay",
     "fhir_server.explain",
     "fhir_server.reindex"},
    {"adapters"},
]
WIRING = {"fhir_server.app", "fhir_server.cli", "fhir_server.serve", "fhir_server.demo", "fhir_server.parts"}
ONLY_THERE = {
    "pymongo": {"fhir_server.store"},
    "gridfs": {"fhir_server.store"},
    "bson": {"fhir_server.store"},
    "flask": {"fhir_server.rest", "fhir_server.web", "fhir_server.app"},
}
PACKAGES = ("fhir_server", "adapters", "terminology", "profiles", "conformance")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def height(name: str) -> int | None:
    found = [i for i, layer in enumerate(LAYERS) if any(within(name, package) for package in layer)]
    return found[0] if found else None


def is_wiring(name: str) -> bool:
    return any(within(name, one) for one in WIRING)


def typing_only(path: Path, name: str) -> bool:
    """Imported for annotations alone: `context` names what stands above it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    inside = [one for block in blocks for one in ast.walk(block) if isinstance(one, ast.ImportFrom)]
    return any(name.startswith(one.module or "?") for one in inside)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_what_stands_below_it(path: Path) -> None:
    own = module(path)
    if is_wiring(own) or own in PACKAGES:
        return
    mine = height(own)
    assert mine is not None, f"{own} stands in no layer"
    wrong = [name for name in imported(path) if (height(name) or 0) > mine and not typing_only(path, name)]
    assert wrong == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_the_wiring(path: Path) -> None:
    if is_wiring(module(path)):
        return
    # A command opens its Context when it is called: the one thing everybody may ask of the wiring.
    assert [name for name in imported(path) if is_wiring(name) and name != "fhir_server.app.open_context"] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_database_and_flask_are_known_where_they_belong(path: Path) -> None:
    own = module(path)
    for library, places in ONLY_THERE.items():
        if not any(within(own, place) for place in places) and own != "adapters.http":
            assert [name for name in imported(path) if within(name, library)] == []
