"""SIPp as a callee that answers at once and waits for the BYE: the cheapest peer there is (0.05 ms of CPU a call)."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

from .measure import free_port

_HEAD = "[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"
_CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n"
_SDP = (
    "Content-Type: application/sdp\nContent-Length: [len]\n\nv=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
    "m=audio [media_port] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\na=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16\n"
)


def _send(text: str, again: str = "") -> str:
    return f"<send{again}><![CDATA[\n{text}\n]]></send>\n"


_TAG = ";tag=[pid]-[call_number]"
SCENARIO = (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="answers">\n<recv request="INVITE"/>\n'
    + _send("SIP/2.0 180 Ringing\n" + _HEAD.format(tag=_TAG) + _CONTACT + "Content-Length: 0\n")
    + _send("SIP/2.0 200 OK\n" + _HEAD.format(tag=_TAG) + _CONTACT + _SDP, ' retrans="500"')
    + '<recv request="ACK"/>\n<recv request="BYE" timeout="20000"/>\n'
    + _send("SIP/2.0 200 OK\n" + _HEAD.format(tag="") + "Content-Length: 0\n")
    + "</scenario>\n"
)


class Callee:
    """One SIPp process; `uri` is where to call."""

    def __init__(self, folder: Path, seconds: int) -> None:
        self._folder = folder
        self._seconds = seconds
        self.port = free_port()
        self.uri = f"sip:127.0.0.1:{self.port}"

    def __enter__(self) -> Callee:
        path = self._folder / "answers.xml"
        path.write_text(SCENARIO)
        self._process = subprocess.Popen(
            [
                *("timeout", str(self._seconds), "sipp", "-sf", str(path), "-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1"),
                *("-mp", str(free_port(room=4)), "-cp", str(free_port()), "-nostdin", "-l", "20000", "-trace_err"),
                *("-error_file", str(self._folder / "sipp-errors.log")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=(self._folder / "sipp.txt").open("wb"),
            stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(10)
