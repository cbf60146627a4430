"""FHIR packages that ship with the server, one folder each, JSON only. None yet: R4 is in `definitions`."""
