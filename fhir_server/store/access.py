"""By what it is decided who may see a version: its access keys, stored with it, and the filter that asks for them.

They stand in `ac` of every version, live, deleted or past, and among the index keys of what is live, so that a search
can go by them.
"""

from collections.abc import Mapping, Sequence

from fhir_server.store.document import Version

# For writers, who must know whatever is stored.
UNRESTRICTED: Sequence[str] = ()


def access_keys(version: Version) -> list[str]:
    """Returns `_src=` the disclosing organisation and `_lab=` each security label, as `system|code`."""
    source = [f"_src={version.source}"] if version.source else []
    return [*source, *(f"_lab={label}" for label in version.labels)]


def seen(may_see: Sequence[str]) -> Mapping[str, object]:
    """Returns the filter for versions that have all keys of `may_see`, an empty one where there are none."""
    return {"ac": {"$all": list(may_see)}} if may_see else {}
