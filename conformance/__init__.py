"""What a FHIR server promises, shown from outside over HTTP alone. Imports nothing of ours; drives any other too."""
