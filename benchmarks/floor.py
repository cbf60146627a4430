"""What the same work costs without us: an empty answer on the same web server, the plain operations of the driver."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
from pymongo import IndexModel
from pymongo.collection import Collection

from benchmarks.server import await_answer, free_ports, process
from fhir_server import options
from fhir_server.config import Config
from fhir_server.parts import granian
from fhir_server.store.find import INDEXES

Rows = Collection[dict[str, Any]]


def application() -> flask.Flask:
    """Returns an application that answers everything with nothing."""
    app = flask.Flask("floor", static_folder=None)
    app.add_url_rule("/", "answer", lambda: flask.Response(b"", content_type="application/fhir+json"))
    return app


@contextmanager
def empty_answers(config: Config, log: Path) -> Iterator[str]:
    """Serves the empty application as `config` serves ours; gives its origin."""
    [port] = free_ports(1)
    alone = replace(config, port=port)
    with process(["benchmarks.floor"], alone, log):
        await_answer(alone, "/")
        yield f"http://{alone.host}:{port}"


def indexed(rows: Rows) -> Rows:
    """Returns the collection, empty and with the indexes that the server gives to a resource type."""
    rows.drop()
    rows.create_indexes([IndexModel(list(keys)) for keys in INDEXES.values()])
    return rows


def rate(work: Callable[[Any], object], items: Sequence[Any], threads: int) -> float:
    """Returns how often a second `work` runs over `items` in that many threads."""
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda share: [work(one) for one in share], [items[i::threads] for i in range(threads)]):
            pass
    return len(items) / (time.perf_counter() - start)


if __name__ == "__main__":
    granian("benchmarks.floor:application", options.config()).serve()
