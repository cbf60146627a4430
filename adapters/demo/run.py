"""The process `demo`: loads the synthetic region through the real feeds, then keeps a slow stream of messages coming.

The same messages are sent at every start; the journal knows them, so nothing is doubled.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random
from threading import Event
from typing import TypeVar

from adapters.demo import client, messages, plan, storage
from adapters.demo.region import FACILITIES, HOSPITAL, SEED, SURGERY, Resident, residents
from adapters.facility import JST
from fhir_server.config import Config
from fhir_server.context import Context

log = logging.getLogger(__name__)

BEGIN = datetime(2025, 4, 1, 9, tzinfo=JST)
EVERY = 5
_PATIENCE = 0.5

Answer = TypeVar("Answer")


def run(context: Context, stop: Event) -> None:
    """Loads the region, then sends a message every few seconds until `stop` is set."""
    for facility in FACILITIES:
        context.store.facilities.add(facility.number, facility.name, facility.senders, confirmed=True)
    storage.write(context.config.data_dir / "ssmix2", BEGIN)
    persevere(partial(_load, context.config), stop)
    persevere(partial(_write_plan, context.config), stop)
    _stream(context, stop)


def region() -> Iterator[bytes]:
    """Yields what hospital and clinic send first: every resident, results, prescriptions, one faulty message."""
    random = Random(SEED)
    feeding = [one for one in residents() if one.facility != SURGERY]
    for index, resident in enumerate(feeding):
        at = BEGIN + timedelta(minutes=20 * index)
        yield messages.admission(resident, at, "A01" if resident.facility == HOSPITAL and index % 4 == 2 else "A04")
        yield messages.results(resident, at + timedelta(minutes=5), random)
        yield messages.prescription(resident, at + timedelta(minutes=10), random)
    yield messages.broken_results(feeding[1], BEGIN + timedelta(days=1))


def arriving(slot: int) -> bytes:
    """Returns the message of a slot of the stream, counted in `EVERY` seconds since 1970: same slot, same message."""
    random = Random(slot)
    at = datetime.fromtimestamp(slot * EVERY, JST)
    resident = random.choice([one for one in residents() if one.facility != SURGERY])
    return random.choice(STREAM)(resident, at, random)


def _news(resident: Resident, at: datetime, random: Random) -> bytes:
    return messages.admission(resident, at, "A08")


def _few_results(resident: Resident, at: datetime, random: Random) -> bytes:
    return messages.results(resident, at, random, random.sample(messages.TESTS, 3))


Kind = Callable[[Resident, datetime, Random], bytes]
STREAM: tuple[Kind, ...] = (_few_results, _few_results, messages.prescription, _news)


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
    for _ in client.exchange(config.mllp_host, config.mllp_port, region()):
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
        slot = int(context.now().timestamp()) // EVERY
        if slot > sent:
            persevere(partial(_send, context.config, arriving(slot)), stop)
            sent = slot


def _send(config: Config, raw: bytes) -> None:
    for _ in client.exchange(config.mllp_host, config.mllp_port, [raw]):
        pass
