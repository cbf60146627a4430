"""What the feeds add to the pages for people: a raw message made readable."""

import flask

from adapters.hl7v2 import show
from fhir_server.context import Context
from fhir_server.store.journal import Row
from fhir_server.web import message


def blueprint(context: Context) -> flask.Blueprint:
    """Returns the page of one message; every feed so far carries HL7 v2."""

    def decode(raw: bytes, row: Row) -> list[show.Line]:
        facility = context.store.facilities.by_number(row.sender)
        return show.lines(raw, row.place, facility.charset if facility else "ascii")

    return message.blueprint(context, decode)
