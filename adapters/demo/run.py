"""The process `demo`: loads the synthetic region through the real feeds, then keeps a slow stream of messages coming.

The same messages are sent at every start; the journal knows them, so nothing is doubled.
"""

import logging
from collections.abc import Callable
from functools import partial
from threading import Event
from typing import TypeVar

from adapters.demo import client, plan, storage, traffic
from adapters.demo.region import FACILITIES, residents
from fhir_server.config import Config
from fhir_server.context import Context

log = logging.getLogger(__name__)

_PATIENCE = 0.5

Answer = TypeVar("Answer")


def run(context: Context, stop: Event) -> None:
    """Loads the region, then sends a message every few seconds until `stop` is set."""
    for facility in FACILITIES:
        context.store.facilities.add(facility.number, facility.name, facility.senders, confirmed=True)
    storage.write(context.config.data_dir / "ssmix2", traffic.BEGIN)
    persevere(partial(_load, context.config), stop)
    persevere(partial(_write_plan, context.config), stop)
    _stream(context, stop)


def persevere(attempt: Callable[[], Answer], stop: Event) -> Answer | None:
    """Returns what `attempt` returns, however often the other side is not there yet; None when stopped before."""
    while not stop.is_set():
        try:
            return attempt()
        except OSError as error:
            log.debug("not yet: %s", type(error).__name__)
            stop.wait(_PATIENCE)
    return None


def _load(config: Config) -> None:
    for _ in client.exchange(config.mllp_host, config.mllp_port, traffic.region()):
        pass


def _write_plan(config: Config) -> None:
    found = client.search(config.host, config.port, "Patient", identifier=residents()[0].number)
    if not found:
        raise ConnectionError("The first resident is not there yet.")
    reference = f"Patient/{found[0]['id']}"
    for resource in (plan.consent(reference), plan.care_plan(reference)):
        client.put(config.host, config.port, resource)


def _stream(context: Context, stop: Event) -> None:
    sent = 0
    while not stop.wait(1):
        slot = int(context.now().timestamp()) // traffic.EVERY
        if slot > sent:
            persevere(partial(_send, context.config, traffic.arriving(slot)), stop)
            sent = slot


def _send(config: Config, raw: bytes) -> None:
    for _ in client.exchange(config.mllp_host, config.mllp_port, [raw]):
        pass
