"""Whatever is killed during a stream of messages: everything answered AA, and every 201, is there afterwards, once."""

from pathlib import Path

from tests.soak.storm import PARTS, storm


def test_nothing_that_was_promised_is_lost_or_doubled_when_parts_are_killed(tmp_path: Path) -> None:
    with storm(tmp_path, hospitals=3) as one:
        for part in PARTS:
            one.kill(part)
