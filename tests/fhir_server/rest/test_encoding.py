"""Bodies that are compressed, both ways."""

import gzip

import pytest
import requests
import zstandard

from fhir_server.fhirjson import encode
from fhir_server.outcome import FHIRError
from fhir_server.rest.encoding import WORTHWHILE, decoded, encoded
from tests.server import Client

PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"text": "山田"}]}
TEXT = "山田太郎".encode() * 5000
ZSTD = zstandard.ZstdCompressor().compress
BOMB = gzip.compress(bytes(10**8), mtime=0)


@pytest.mark.parametrize("encoding, body", [("gzip", gzip.compress(TEXT, mtime=0)), ("zstd", ZSTD(TEXT))])
def test_what_was_compressed_comes_back(encoding: str, body: bytes) -> None:
    assert decoded(body, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize("encoding, body, status, text", [
    ("gzip", gzip.compress(TEXT, mtime=0), 413, "The request, unpacked, is larger than the limit of 1000 bytes."),
    ("zstd", ZSTD(TEXT), 413, "The request, unpacked, is larger than the limit of 1000 bytes."),
    ("gzip", BOMB, 413, "The request, unpacked, is larger than the limit of 1000 bytes."),
    ("zstd", ZSTD(b"0" * 10**8), 413, "The request, unpacked, is larger than the limit of 1000 bytes."),
    ("gzip", gzip.compress(b"abc", mtime=0)[:-1], 400, "The body is no whole gzip."),
    ("zstd", ZSTD(b"abc")[:-1], 400, "The body is no whole zstd."),
    ("gzip", b"abc", 400, "The body is no whole gzip."),
    ("zstd", b"abc", 400, "The body is no whole zstd."),
    ("zstd", ZSTD(b"abc") + b"abc", 400, "The body is no whole zstd."),
    ("br", b"abc", 415, "Content-Encoding is 'br'; gzip and zstd are understood."),
])
def test_what_is_too_large_or_broken_is_refused(encoding: str, body: bytes, status: int, text: str) -> None:
    with pytest.raises(FHIRError) as refused:
        decoded(body, encoding, 1000)
    assert (refused.value.status, str(refused.value)) == (status, text)


@pytest.mark.parametrize("accepted, encoding", [
    ("gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd"), ("zstd;q=0.5, gzip", "gzip"), ("GZIP;q=1.0", "gzip"),
    ("*", "zstd"), ("zstd;q=0, *", "gzip"), ("", ""), ("identity", ""), ("br", ""), ("gzip;q=0", ""), ("gzip;q=x", ""),
])
def test_a_large_answer_goes_as_the_client_takes_it(accepted: str, encoding: str) -> None:
    body, how = encoded(TEXT, accepted)
    assert (how, decoded(body, how, len(TEXT)) if how else body) == (encoding, TEXT)


def test_a_small_answer_goes_as_it_is() -> None:
    assert encoded(b"x" * (WORTHWHILE - 1), "gzip") == (b"x" * (WORTHWHILE - 1), "")


@pytest.mark.parametrize("accepted", ["gzip", "zstd"])
def test_large_answers_are_compressed_over_http(fhir: Client, accepted: str) -> None:
    fhir.send("PUT", "Patient/p1", {**PATIENT, "name": [{"text": "x" * WORTHWHILE}]})
    with requests.get(f"{fhir.base}/Patient/p1", headers={"Accept-Encoding": accepted}, stream=True,
                      timeout=60) as answer:
        raw = answer.raw.read()
    plain = fhir.get("Patient/p1", Accept_Encoding="identity")
    assert (answer.headers["Content-Encoding"], answer.headers["Content-Length"]) == (accepted, str(len(raw)))
    assert decoded(raw, accepted, 10**6) == plain.content
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("encoding, pack", [("gzip", gzip.compress), ("zstd", ZSTD)])
def test_a_compressed_body_is_read_within_the_limit(small: Client, encoding: str, pack) -> None:
    put = small.send("PUT", "Patient/p1", pack(encode(PATIENT)), Content_Encoding=encoding)
    bomb = small.send("PUT", "Patient/p1", pack(encode({**PATIENT, "name": [{"text": "x" * 10**7}]})),
                      Content_Encoding=encoding)
    assert (put.status_code, put.json()["name"]) == (201, PATIENT["name"])
    assert (bomb.status_code, bomb.json()["issue"][0]["code"]) == (413, "too-long")
