"""Settings: read once, from flags and the environment, then handed around. Sizes in bytes, times in seconds."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

MB = 1024 * 1024


@dataclass(frozen=True)
class Text:
    """How text is made alike before it is stored and searched. A change asks for a reindex.

    kana       hiragana and katakana, small and large
    voiced     か and が
    kanji      old forms and new
    full_text  all text of a resource can be searched, not only names and addresses
    """

    kana: bool = True
    voiced: bool = True
    kanji: bool = True
    full_text: bool = True


@dataclass(frozen=True)
class Config:
    """All settings. Each can be given as `KAKEHASHI_<NAME>` in the environment (`MONGODB_URI` without the prefix)."""

    host: str = "127.0.0.1"
    port: int = 8080
    mllp_host: str = "127.0.0.1"
    mllp_port: int = 2575
    data_dir: Path = Path("data")
    mongodb_uri: str = ""
    database: str = "kakehashi"
    workers: int = 2
    open: bool = False
    demo: bool = False
    base_url: str = ""
    cors_origins: tuple[str, ...] = ()
    request_limit: int = 64 * MB
    answer_limit: int = 64 * MB
    resource_limit: int = 12 * MB
    message_limit: int = 10 * MB
    entry_limit: int = 5000
    page_limit: int = 1000
    examine_limit: int = 100_000
    conditional_delete_limit: int = 1
    cache_gb: float = 0.0
    fold_kana: bool = True
    fold_voiced: bool = True
    fold_kanji: bool = True
    full_text: bool = True

    @property
    def security_labels(self) -> tuple[tuple[str, str], ...]:
        """`(system, code)` stamped on every resource: demonstration data are marked as test data."""
        return (("http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST"),) if self.demo else ()

    @property
    def text(self) -> Text:
        return Text(self.fold_kana, self.fold_voiced, self.fold_kanji, self.full_text)

    def environment(self) -> dict[str, str]:
        """Returns the variables that give a child process these same settings."""
        return {_variable(one.name): _written(getattr(self, one.name)) for one in fields(self)}


def from_environment(environment: Mapping[str, str] = os.environ, **given: Any) -> Config:
    """Returns the settings: what is given (None: not given) before the environment, that before the defaults."""
    read = {
        one.name: _read(one.type, environment[_variable(one.name)], _variable(one.name))
        for one in fields(Config)
        if environment.get(_variable(one.name))
    }
    return Config(**{**read, **{name: value for name, value in given.items() if value is not None}})


def _variable(name: str) -> str:
    return "MONGODB_URI" if name == "mongodb_uri" else f"KAKEHASHI_{name.upper()}"


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value)


def _read(kind: Any, text: str, variable: str) -> Any:
    if kind is bool:
        return text.strip().lower() in ("1", "true", "yes", "on")
    if kind == tuple[str, ...]:
        return tuple(filter(None, (one.strip() for one in text.split(","))))
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{variable} is {text!r}, which is no {kind.__name__}.") from None
