"""FHIR packages that ship with the server, one folder each: JSON only. None yet; R4 itself is in `fhir_server.definitions`."""
