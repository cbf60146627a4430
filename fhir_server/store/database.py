"""The connection to MongoDB, and what its errors mean to a caller."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import InvalidOperation, PyMongoError

from fhir_server.outcome import Unavailable

Document = dict[str, Any]
Rows = Collection[Document]

log = logging.getLogger(__name__)

# An acknowledged write is on the disks of a majority.
DURABLE = WriteConcern(w="majority", j=True, wtimeout=10_000)


def connect(uri: str, database: str, patience: float) -> Database[Document]:
    """Returns the database; it is connected on first use, and waited for `patience` seconds. Its times are in UTC."""
    client: MongoClient[Document] = MongoClient(
        uri,
        tz_aware=True,
        serverSelectionTimeoutMS=int(patience * 1000),
        connectTimeoutMS=int(patience * 1000),
        socketTimeoutMS=60_000,
        appname="kakehashi",
    )
    return client.get_database(database, write_concern=DURABLE)


@contextmanager
def translated() -> Iterator[None]:
    """Turns an error of the driver into Unavailable; nothing of its text reaches a caller or a log."""
    try:
        yield
    except InvalidOperation:
        raise  # A fault of ours, such as the use of a closed connection.
    except PyMongoError as error:
        log.warning("MongoDB: %s, code %s", type(error).__name__, getattr(error, "code", None))
        raise Unavailable("The database does not answer at the moment. Please try again.") from None
