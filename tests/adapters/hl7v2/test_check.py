from click.testing import CliRunner

from adapters.hl7v2.check import command

GOOD = (b"MSH|^~\\&|HIS|H|GW|HUB|20240603101500||ADT^A01^ADT_A01|1|P|2.5\rEVN||20240603\r"
        b"PID|1||1^^^H^PI||YAMADA^TARO\rPV1|1|I\r")


def check(tmp_path, **files):
    for name, raw in files.items():
        (tmp_path / name).write_bytes(raw)
    done = CliRunner().invoke(command, [str(tmp_path / name) for name in files])
    return done.exit_code, done.output.replace(f"{tmp_path}/", "")


def test_good_messages_say_nothing(tmp_path):
    assert check(tmp_path, one=GOOD, two=GOOD) == (0, "")


def test_each_finding_names_its_file(tmp_path):
    without = GOOD.replace(b"PID|1||1^^^H^PI||YAMADA^TARO\r", b"")
    assert check(tmp_path, good=GOOD, without=without, none=b"no message") == (1, (
        "without: Missing required child ADT_A01.PID\n"
        "none: MSH: There is no MSH segment at the beginning.\n"))
