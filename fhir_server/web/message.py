"""The page of one message: its raw text, decoded, with the offending field marked."""

from collections.abc import Callable, Sequence

import flask

from fhir_server.context import Context
from fhir_server.outcome import NotFound
from fhir_server.store.journal import Row
from fhir_server.web.status import page


# Each line of a message: what stands before the wrong field, the field ("" where none is wrong), what stands after.
Decode = Callable[[bytes, Row], Sequence[tuple[str, str, str]]]


def blueprint(context: Context, decode: Decode) -> flask.Blueprint:
    """Returns the page as a Flask blueprint. `decode` knows the feeds' formats; it never fails."""
    messages = flask.Blueprint("messages", __name__)

    @messages.get("/messages/<id>")
    def message(id: str) -> flask.Response:
        if not context.config.open:
            return page(context, "message.html")
        try:
            row, raw = context.store.journal.row(id), context.store.journal.raw(id)
        except NotFound:
            flask.abort(404)
        return page(context, "message.html", row=row, lines=decode(raw, row))

    return messages
