"""Kamailio as a proxy in front of a callee: it record-routes, and what follows has to come through it (test-peers section 4)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

import pytest

from .sipp import free_port

HAVE_KAMAILIO = shutil.which("kamailio") is not None
needs_kamailio = pytest.mark.skipif(not HAVE_KAMAILIO, reason="Kamailio is not installed (apt-get install kamailio)")
CONFIGURATION = """#!KAMAILIO
debug=2 log_stderror=yes children=1 disable_tcp=yes
listen=udp:127.0.0.1:{port}
mpath="{modules}"
loadmodule "tm.so" loadmodule "sl.so" loadmodule "rr.so" loadmodule "pv.so"
loadmodule "maxfwd.so" loadmodule "textops.so" loadmodule "siputils.so"
request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
    if (has_totag()) {{ if (loose_route() || (is_method("ACK") && t_check_trans())) {{ t_relay(); exit; }}
        sl_send_reply("404", "Not through me"); exit; }}
    t_check_trans();
    if (is_method("OPTIONS")) {{ sl_send_reply("200", "OK"); exit; }}
    record_route();
    $du = "sip:127.0.0.1:{callee}";
    t_relay();
}}
"""
PROBE = (
    "OPTIONS sip:ping@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{us};branch=z9hG4bK{us};rport\r\n"
    "From: <sip:us@127.0.0.1>;tag=1\r\nTo: <sip:ping@127.0.0.1>\r\n"
    "Call-ID: {us}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class Kamailio:
    """`with Kamailio(folder, callee.address) as proxy:` is ready; `proxy.address` is where to call."""

    def __init__(self, folder: Path, callee: tuple[str, int], seconds: int = 60) -> None:
        self._folder, self._callee, self._seconds = folder, callee, seconds

    def __enter__(self) -> Kamailio:
        run = self._folder / "run"
        run.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.address = ("127.0.0.1", port)
        modules = next(Path("/usr").glob("lib*/*/kamailio/modules"), Path("/usr/lib/kamailio/modules"))
        configuration = self._folder / "kamailio.cfg"
        configuration.write_text(CONFIGURATION.format(port=port, callee=self._callee[1], modules=f"{modules}/"))
        command = ["timeout", str(self._seconds), "kamailio", "-DD", "-E", "-f", str(configuration), "-Y", str(run), "-w", str(run)]
        command += ["-P", str(run / "pid"), "-m", "32", "-M", "4"]
        with (self._folder / "kamailio.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _await(self) -> None:
        """Until it answers OPTIONS itself."""
        end = time.monotonic() + 20
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            probe.settimeout(0.1)
            while time.monotonic() < end and self._process.poll() is None:
                probe.sendto(PROBE.format(port=self.address[1], us=probe.getsockname()[1]).encode(), self.address)
                try:
                    probe.recv(65536)
                except OSError:
                    continue
                return
        raise AssertionError((self._folder / "kamailio.log").read_text(errors="replace")[-2000:])
