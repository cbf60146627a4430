"""Why the program does not start on some data: for the person at the terminal, not for FHIR clients."""


class StoreError(Exception):
    """The database cannot be found, started or used as asked. The text says exactly why, and what to do."""
