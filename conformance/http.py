"""HTTP and nothing else: sends what it is told, keeps what came. Secrets never leave this file."""

import gzip
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

JSON = "application/fhir+json"
ANSWER_LIMIT = 64 * 1024 * 1024
HIDDEN = "•••"
CLIENTS = 64
_CHUNK = 65536


@dataclass(frozen=True)
class Asked:
    """A request as it was sent; `headers` without those that carry secrets."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Answer:
    """What came back. `content` is the body as it travelled, so that a compressed one can be told from a plain one."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    decoded: bytes

    @property
    def text(self) -> str:
        return self.decoded.decode("utf-8", "replace")

    @cached_property
    def resource(self) -> dict[str, Any]:
        """The body as JSON, or {} when it is none."""
        try:
            read = json.loads(self.decoded, parse_float=Decimal)
        except ValueError:
            return {}
        return read if isinstance(read, dict) else {}

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [one for one in self.resource.get("entry", ()) if isinstance(one, dict)]


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    asked: Asked
    answer: Answer


@dataclass
class Server:
    """A FHIR server at `base`. `secrets` are headers sent with every request and shown nowhere."""

    base: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0

    def __post_init__(self) -> None:
        self.base = self.base.rstrip("/")
        self._session = requests.Session()
        # Without this a .netrc would replace the authorization that was asked for.
        self._session.auth = lambda request: request
        self._session.headers.clear()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=CLIENTS))

    def send(self, method: str, url: str, headers: Mapping[str, str], body: str | None = None) -> Exchange:
        """Sends one request; `url` is relative to the base or absolute. Raises requests.RequestException."""
        whole = url if url.startswith(("http://", "https://")) else f"{self.base}/{url}".rstrip("/")
        secrets = self.secrets if whole.startswith(self.base) else {}
        given = {"Accept": JSON, "User-Agent": "kakehashi-conformance", **headers}
        answer = self._session.request(
            method, whole, headers={**given, **secrets}, data=None if body is None else body.encode(),
            timeout=self.seconds, allow_redirects=False, stream=True)
        with answer:
            return Exchange(Asked(method, whole, given, body or ""), _read(answer))

    def hide(self, text: str) -> str:
        """Returns `text` without the secrets, should the server have repeated them."""
        for value in self.secrets.values():
            for part in {value, value.split()[-1] if value.split() else value}:
                text = text.replace(part, HIDDEN) if len(part) > 3 else text
        return text


def _read(answer: requests.Response) -> Answer:
    content = b""
    while chunk := answer.raw.read(_CHUNK, decode_content=False):
        content += chunk
        if len(content) > ANSWER_LIMIT:
            raise requests.RequestException(f"The answer is larger than {ANSWER_LIMIT} bytes.")
    return Answer(answer.status_code, CaseInsensitiveDict(answer.headers), content, _plain(answer, content))


def _plain(answer: requests.Response, content: bytes) -> bytes:
    kind = answer.headers.get("Content-Encoding", "").lower()
    try:
        return gzip.decompress(content) if kind == "gzip" and content else content
    except (OSError, EOFError, zlib.error) as error:
        raise requests.RequestException(f"The answer says gzip and is none: {error}.") from error
