"""A synthetic region: facilities and residents who do not exist, fed through the real feeds, as a client would."""
