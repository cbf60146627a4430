"""The command line: what it offers, and how it refuses. No mistake of a person's ends in a traceback."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
import pytest

from fhir_server.cli import COMMANDS, INTERNAL
from tests.process import free_port, kakehashi


@pytest.mark.parametrize("place", [place for place, _ in COMMANDS.values()] + list(INTERNAL.values()))
def test_every_command_of_the_table_exists(place: str) -> None:
    module, _, name = place.partition(":")
    assert isinstance(getattr(import_module(module), name), click.Command)


def test_help_lists_every_command_without_importing_any(tmp_path: Path) -> None:
    code, said = kakehashi("--help", cwd=tmp_path)
    assert code == 0
    assert [line.split("  ")[1] for line in said.partition("Commands:\n")[2].splitlines()] == list(COMMANDS)
    loaded = "import sys, fhir_server.cli; print(sorted({name.split('.')[0] for name in sys.modules}))"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
    assert not {"flask", "pymongo", "rich", "granian"} & set(modules)


@pytest.mark.parametrize(
    "arguments, environment, words",
    [
        (["serve", "--port", "0"], {}, "Invalid value for '--port'"),
        (["serve"], {"KAKEHASHI_PORT": "eighty"}, "KAKEHASHI_PORT is 'eighty', which is no int."),
        (["serve", "--open", "--host", "0.0.0.0"], {}, "--host 0.0.0.0 can be reached from elsewhere"),
        (["serve", "--open", "--mllp-host", "0.0.0.0"], {}, "--mllp-host 0.0.0.0 can be reached from elsewhere"),
        (["web", "--open", "--host", "0.0.0.0"], {}, "--host 0.0.0.0 can be reached from elsewhere"),
        (["mllp", "--open", "--mllp-host", "::"], {}, "--mllp-host :: can be reached from elsewhere"),
        (["serve", "--host", "nowhere.invalid"], {}, "Cannot listen on nowhere.invalid:8080"),
        (["status", "--data-dir", "nowhere"], {}, "There is no database in nowhere. Name its folder with --data-dir."),
        (["web", "--base-url", "fhir.example.jp"], {}, "--base-url fhir.example.jp is no address such as"),
        (["serve"], {"KAKEHASHI_BASE_URL": "https://fhir.example.jp/fhir/"}, "without / at its end"),
        (["web"], {"KAKEHASHI_CORS_ORIGINS": "*"}, "KAKEHASHI_CORS_ORIGINS names *, no origin such as"),
        (["sevre"], {}, "No such command 'sevre'"),
    ],
)
def test_a_mistake_is_named_in_words(
    arguments: Sequence[str], environment: dict[str, str], words: str, tmp_path: Path
) -> None:
    code, said = kakehashi(*arguments, cwd=tmp_path, **environment)
    assert code != 0
    assert words in said
    assert "Traceback" not in said


@pytest.mark.parametrize("option", ["--port", "--mllp-port"])
def test_a_taken_port_names_the_option_that_chooses_another(option: str, tmp_path: Path) -> None:
    other = free_port()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"--port": str(other), "--mllp-port": str(other), option: str(port)}
        code, said = kakehashi("serve", *(word for pair in ports.items() for word in pair), cwd=tmp_path)
    assert code != 0
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use). Choose another with {option}." in said
    assert not (tmp_path / "data").exists()
