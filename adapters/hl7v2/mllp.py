"""The MLLP listener: frames of all connections → the journal in batches → each connection's acknowledgements in order.

A positive acknowledgement leaves only after the journal has the message. Everything is bounded: connections, bytes in
open frames and on their way, answers outstanding on a connection, the time of a frame, of silence and of a write.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from adapters.admission import Admission
from adapters.hl7v2.framer import Frame, Framer, framed
from adapters.hl7v2.intake import Intake, accepting
from adapters.hl7v2.messages import MESSAGES, REQUIRED
from fhir_server.context import Context
from fhir_server.trace import where

MB = 1024 * 1024
CHUNK = 64 * 1024
# The pause between two looks at the signal to stop, and the time open connections then have to take their answers.
GLANCE, FAREWELL = 0.1, 5.0

log = logging.getLogger(__name__)

Accept = Callable[[Sequence[Frame]], Sequence[bytes]]


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes, times in seconds.

    message      of one message
    noise        outside of frames, before the connection is closed
    connections  at once; one more closes the quietest of those that wait for nothing
    outstanding  frames of one connection that have no answer yet
    held         by all connections together in open frames, and again on the way into the journal
    batch        frames, and bytes, in one write to the journal
    """

    message: int = 10 * MB
    noise: int = 64 * 1024
    connections: int = 1000
    outstanding: int = 64
    held: int = 256 * MB
    batch: tuple[int, int] = (512, 32 * MB)
    frame_time: float = 60.0
    idle_time: float = 3600.0
    write_time: float = 30.0


@dataclass(frozen=True)
class Waiting:
    """A frame on its way into the journal."""

    frame: Frame
    answer: "asyncio.Future[bytes]"


@dataclass(eq=False)
class Connection:
    """One sender's socket. `heard` and `began` are the loop's times of the last byte and of the open frame."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    framer: Framer
    free: asyncio.Semaphore
    heard: float
    began: float
    receiving: "asyncio.Task[None] | None" = None
    answers: "asyncio.Queue[asyncio.Future[bytes] | None]" = field(default_factory=asyncio.Queue)
    received: int = 0
    answered: int = 0

    @property
    def idle(self) -> bool:
        return not self.framer.open and self.received == self.answered

    def patience(self, limits: Limits, now: float) -> float:
        """Returns how long to wait for the next byte."""
        if self.framer.open:
            return max(0.0, self.began + limits.frame_time - now)
        only_noise = self.framer.skipped and not self.received
        return limits.frame_time if only_noise else limits.idle_time


class Listener:
    """All connections of one process. `accept` makes frames durable and returns their answers; it runs in a thread."""

    def __init__(self, accept: Accept, limits: Limits) -> None:
        self.accept, self.limits = accept, limits
        self.connections: set[Connection] = set()
        self.queue: asyncio.Queue[Waiting] = asyncio.Queue()
        self.committed = asyncio.Event()
        self.on_the_way = 0
        self.in_frames = 0

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one connection to its end."""
        self._make_room()
        now, free = _clock(), asyncio.Semaphore(self.limits.outstanding)
        connection = Connection(reader, writer, Framer(self.limits.message), free, now, now)
        self.connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                connection.receiving = tasks.create_task(self._receive(connection))
                tasks.create_task(self._answer(connection))
        except* (OSError, TimeoutError):
            writer.transport.abort()
        finally:
            self._gone(connection)

    async def commit(self) -> None:
        """Takes what waits, all connections together, into the journal: the slower it is, the larger the batches."""
        while True:
            batch = await self._batch()
            answers = await asyncio.to_thread(self.accept, [one.frame for one in batch])
            for one, answer in zip(batch, answers, strict=True):
                if not one.answer.done():
                    one.answer.set_result(answer)
            self.on_the_way -= sum(len(one.frame.raw) for one in batch)
            self.committed.set()

    async def farewell(self) -> None:
        """Reads no more, gives out what is still to be answered, and closes."""
        for connection in self.connections:
            if connection.receiving:
                connection.receiving.cancel()
        deadline = _clock() + FAREWELL
        while self.connections and _clock() < deadline:
            await asyncio.sleep(GLANCE / 10)
        for connection in self.connections:
            connection.writer.transport.abort()

    async def _receive(self, connection: Connection) -> None:
        try:
            while data := await self._read(connection):
                await self._take(connection, data)
                if connection.framer.skipped > self.limits.noise or self.in_frames > self.limits.held:
                    log.warning("a connection is closed: too much outside of frames, or in open ones")
                    break
        finally:
            connection.answers.put_nowait(None)

    async def _read(self, connection: Connection) -> bytes:
        async with asyncio.timeout(connection.patience(self.limits, _clock())):
            return await connection.reader.read(CHUNK)

    async def _take(self, connection: Connection, data: bytes) -> None:
        framer, was_open = connection.framer, connection.framer.open
        connection.heard = _clock()
        self.in_frames -= framer.buffered
        frames = framer.feed(data)
        self.in_frames += framer.buffered
        if frames or not was_open:
            connection.began = connection.heard
        for frame in frames:
            await self._offer(connection, frame)

    async def _offer(self, connection: Connection, frame: Frame) -> None:
        """Back pressure: who reads no answers, or sends more than the journal takes, is not read from."""
        await connection.free.acquire()
        while self.on_the_way > self.limits.held:
            self.committed.clear()
            await self.committed.wait()
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        connection.received += 1
        connection.answers.put_nowait(answer)
        self.on_the_way += len(frame.raw)
        self.queue.put_nowait(Waiting(frame, answer))

    async def _batch(self) -> list[Waiting]:
        batch = [await self.queue.get()]
        most, size = self.limits.batch
        while not self.queue.empty() and len(batch) < most and size > 0:
            batch.append(self.queue.get_nowait())
            size -= len(batch[-1].frame.raw)
        return batch

    async def _answer(self, connection: Connection) -> None:
        while (answer := await connection.answers.get()) is not None:
            acknowledgement = await answer
            connection.answered += 1
            connection.free.release()
            if acknowledgement:
                connection.writer.write(framed(acknowledgement))
                async with asyncio.timeout(self.limits.write_time):
                    await connection.writer.drain()

    def _make_room(self) -> None:
        """Old idle connections must not keep honest senders out."""
        if len(self.connections) < self.limits.connections:
            return
        quietest = min(self.connections, key=lambda one: (not one.idle, one.heard))
        quietest.writer.transport.abort()
        self.connections.discard(quietest)
        log.warning("%d connections are open; the quietest was closed", self.limits.connections)

    def _gone(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.in_frames -= connection.framer.buffered
        connection.writer.close()
        log.debug("a connection ended after %d messages", connection.received)


def run(context: Context, stop: threading.Event) -> None:
    """The listener as a process: serves until `stop` is set. Raises OSError when the address is taken."""
    config, store = context.config, context.store
    trial = config.open or config.demo
    required = {kind: REQUIRED.get(kind[0], ()) for kind in MESSAGES}
    intake = Intake(Admission(store.facilities, config.open).of_sender, required, trial)
    accept = accepting(intake, store.journal, context.now, context.new_id)
    limits = Limits(message=config.message_limit)
    asyncio.run(serve(config.mllp_host, config.mllp_port, accept, limits, stop))


async def serve(
    host: str, port: int, accept: Accept, limits: Limits, stop: threading.Event, started: Callable[[int], object] = int
) -> None:
    """Listens until `stop` is set, then answers what has arrived; `started` is told the port.

    Raises OSError when the address is taken.
    """
    listener = Listener(accept, limits)
    asyncio.get_running_loop().set_exception_handler(_failed)
    server = await asyncio.start_server(listener.connected, host, port, limit=CHUNK, backlog=512)
    committing = asyncio.create_task(listener.commit())
    started(server.sockets[0].getsockname()[1])
    while not stop.is_set() and not committing.done():
        await asyncio.sleep(GLANCE)
    server.close()
    await listener.farewell()
    committing.cancel()
    with suppress(asyncio.CancelledError):
        await committing


def _failed(loop: asyncio.AbstractEventLoop, what: dict[str, Any]) -> None:
    """What asyncio itself would write shows the text of the error."""
    error = what.get("exception")
    log.error("%s: %s", what["message"], where(error) if error else "")


def _clock() -> float:
    return asyncio.get_running_loop().time()
