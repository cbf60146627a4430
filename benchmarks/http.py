"""Load over HTTP: wrk (Debian package `wrk`) with the scripts in `wrk/`."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPTS = Path(__file__).parent / "wrk"
CLIENTS = 16
WARM_UP = 1
INSTALL = "Missing. Install it with: sudo apt-get install -y wrk"


@dataclass(frozen=True)
class Load:
    """What a load came to: latencies in milliseconds; `errors`: answers that were not as asked, or none at all."""

    requests: int
    seconds: float
    p50: float
    p95: float
    p99: float
    errors: int

    @property
    def rate(self) -> float:
        return self.requests / self.seconds

    @property
    def latency(self) -> str:
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.0f} ms"


def available() -> bool:
    return shutil.which("wrk") is not None


def line(method: str, path: str, body: bytes = b"") -> bytes:
    """Returns one request as the scripts read it."""
    return b"\t".join((method.encode(), path.encode(), body))


def load(
    origin: str, lines: Sequence[bytes], seconds: float, script: str = "requests.lua", clients: int = CLIENTS
) -> Load:
    """Sends `lines` for so many seconds from so many clients."""
    with tempfile.NamedTemporaryFile(prefix="kakehashi-bench-") as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
        command = ["wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s"]
        ran = subprocess.run(
            [*command, "-s", str(SCRIPTS / script), origin, "--", file.name],
            capture_output=True, text=True, check=True)
    return Load(**json.loads(ran.stdout.splitlines()[-1]))
