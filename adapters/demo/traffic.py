"""What the synthetic hospitals send: first the whole region, then a slow stream. Pure: same slot, same message."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random

from adapters.demo import messages
from adapters.demo.region import HOSPITAL, SEED, SURGERY, Resident, residents
from adapters.facility import JST

BEGIN = datetime(2025, 4, 1, 9, tzinfo=JST)
EVERY = 5


def region() -> Iterator[bytes]:
    """Yields what hospital and clinic send first: every resident, results, prescriptions, one faulty message."""
    random = Random(SEED)
    feeding = [one for one in residents() if one.facility != SURGERY]
    for index, resident in enumerate(feeding):
        at = BEGIN + timedelta(minutes=20 * index)
        yield messages.admission(resident, at, "A01" if resident.facility == HOSPITAL and index % 4 == 2 else "A04")
        yield messages.results(resident, at + timedelta(minutes=5), random)
        yield messages.prescription(resident, at + timedelta(minutes=10), random)
    yield messages.broken_prescription(feeding[1], BEGIN + timedelta(days=1))


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
