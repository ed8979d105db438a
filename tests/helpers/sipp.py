"""SIPp as a peer: scenarios as steps, one process a run, free ports, its verdict (test-peers section 1).

`with Sipp(folder, callee("plain")) as peer:` starts it and waits until its port is bound; `peer.address` is where to call;
`peer.wait()` gives the `Verdict`. A caller is given the address that it calls. Nothing here sleeps a fixed time: waits are for the
port to be bound and for the process's end, both bounded.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import pytest

HAVE_SIPP = shutil.which("sipp") is not None
CAN_PLAY = os.geteuid() == 0
"""SIPp plays a capture through a raw socket."""
needs_raw_socket = pytest.mark.skipif(not CAN_PLAY, reason="SIPp needs root to play a capture")
needs_sipp = pytest.mark.skipif(not HAVE_SIPP, reason="SIPp is not installed (apt-get install sip-tester)")

SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
"""
EMPTY = "Content-Length: 0\n"
TAG = ";tag=[pid]-[call_number]"
CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n"
ME = f"<sip:tester@[local_ip]:[local_port]>{TAG}"
URI = "sip:[service]@[remote_ip]:[remote_port]"
KEPT = f"Via:[$via]\n[last_From:]\nTo:[$to]{TAG}\n[last_Call-ID:]\nCSeq:[$cseq]\n"
KEEP = "".join(
    f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{variable}"/>'
    for header, variable in (("Via", "via"), ("To", "to"), ("CSeq", "cseq"))
)


def last(tag: str = TAG) -> str:
    """The headers of the last request received, as a response repeats them."""
    return f"[last_Via:]\n[last_From:]\n[last_To:]{tag}\n[last_Call-ID:]\n[last_CSeq:]\n"


def send(text: str, *, again: bool = False) -> str:
    """One message; `again` repeats it until it is answered, and blocks the scenario until then."""
    return "<send" + ' retrans="500"' * again + f"><![CDATA[\n{text}\n]]></send>\n"


def media(*lines: str, formats: str = "0 101", port: str = "[media_port]", connection: str = "[media_ip]") -> str:
    """A body like `SDP`, with these attributes in place of its own."""
    attributes = lines or ("rtpmap:0 PCMU/8000", "rtpmap:101 telephone-event/8000", "fmtp:101 0-16")
    return (
        "Content-Type: application/sdp\nContent-Length: [len]\n\nv=0\no=- 1 1 IN IP[local_ip_type] [local_ip]\ns=-\n"
        f"c=IN IP[media_ip_type] {connection}\nt=0 0\nm=audio {port} RTP/AVP {formats}\n" + "".join(f"a={line}\n" for line in attributes)
    )


def answer(status: str, *, sdp: bool = False, again: bool = False, head: str | None = None, more: str = "", body: str | None = None) -> str:
    """A response to the last request (or to the one whose headers were kept with `KEEP`, by `head=KEPT`)."""
    head = last() + "[last_Record-Route:]\n" if head is None else head
    body = body if body is not None else SDP if sdp else EMPTY
    return send(f"SIP/2.0 {status}\n{head}{more}{CONTACT}{body}", again=again)


def ok() -> str:
    """200 to a request inside the dialog."""
    return send("SIP/2.0 200 OK\n" + last("") + EMPTY)


def recv(what: str, extra: str = "", inside: str = "") -> str:
    """Await a request by method or a response by status."""
    kind = "response" if what.isdigit() else "request"
    return f'<recv {kind}="{what}" {extra}>{f"<action>{inside}</action>" if inside else ""}</recv>\n'


def wait(ms: int) -> str:
    """A pause of the scenario."""
    return f'<pause milliseconds="{ms}"/>\n'


def do(action: str) -> str:
    """An action, for example `play_pcap_audio="digits.pcap"`."""
    return f"<nop><action><exec {action}/></action></nop>\n"


def request(
    method: str,
    cseq: int,
    *,
    to: str = "[peer_tag_param]",
    uri: str = "[next_url]",
    branch: str = "[branch]",
    body: str = EMPTY,
    again: bool = False,
    more: str = "[routes]\n",
) -> str:
    """A request from SIPp as a caller."""
    return send(
        f"{method} {uri} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n{more}From: {ME}\n"
        f"To: <{URI}>{to}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\nMax-Forwards: 70\n{CONTACT if body is SDP else ''}{body}",
        again=again,
    )


def invite(cseq: int = 1, more: str = "") -> str:
    """The first INVITE of a caller."""
    return request("INVITE", cseq, to="", uri=URI, body=SDP, again=True, more=more)


def early() -> str:
    """Provisional responses that may come."""
    return "".join(recv(code, 'optional="true"') for code in ("100", "180", "183"))


def label(name: str) -> str:
    """A place to jump to."""
    return f'<label id="{name}"/>\n'


def jump(to: str, test: str = "") -> str:
    """Go on there; with `test` only where that variable is set."""
    condition = f' test="{test}"' if test else ""
    return f'<nop next="{to}"{condition}/>\n'


def called(variable: str, *numbers: str) -> str:
    """Set a variable where one of these is called; for `recv`'s `inside`."""
    pattern = "|".join(number.removeprefix("+") for number in numbers)
    return f'<ereg regexp="{pattern}" search_in="hdr" header="To:" assign_to="{variable}"/>'


def cancelled() -> tuple[str, ...]:
    """What follows a CANCEL."""
    return (
        ok(),
        send("SIP/2.0 487 Request Terminated\n" + last().replace("[last_CSeq:]", "CSeq: 1 INVITE") + EMPTY, again=True),
        recv("ACK"),
    )


BYE = recv("BYE", 'timeout="20000"') + ok()
CHALLENGE = 'WWW-Authenticate: Digest realm="example.com", nonce="1cec4341ae6cbe5a359ea9c8e88df84f", qop="auth", algorithm=MD5\n'
KEEP_PARTIES = "".join(
    f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{variable}"/>'
    for header, variable in (("From", "from"), ("To", "to"))
)


def own(method: str, cseq: int, body: str = EMPTY, *, again: bool = True, branch: str = "[branch]") -> str:
    """A request of a callee's own within the dialog; its INVITE was received with `rrs="true"` and `KEEP_PARTIES`."""
    return send(
        f"{method} [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n[routes]\n"
        f"From:[$to]{TAG}\nTo:[$from]\nCall-ID: [call_id]\nCSeq: {cseq} {method}\nMax-Forwards: 70\n"
        f"{CONTACT if method in ('INVITE', 'UPDATE') else ''}{body}",
        again=again,
    )


OWN_BYE = own("BYE", 1)
# [branch-3] is the branch of the step three above: the INVITE, with a 100 and a 180 between.
CANCEL = request("CANCEL", 1, to="", uri=URI, branch="[branch-3]", again=True, more="")
_GOOD = recv("200", 'rrs="true" timeout="15000"')

CALLEES: dict[str, tuple[str, ...]] = {
    "plain": (recv("INVITE"), answer("180 Ringing"), wait(100), answer("200 OK", sdp=True, again=True), recv("ACK"), BYE),
    "hangs_up": (
        recv("INVITE", 'rrs="true"', KEEP_PARTIES),
        answer("180 Ringing"),
        answer("200 OK", sdp=True, again=True),
        recv("ACK"),
        wait(100),
        OWN_BYE,
        recv("200"),
    ),
    "byes_cross": (
        recv("INVITE", 'rrs="true"', KEEP_PARTIES),
        answer("200 OK", sdp=True, again=True),
        recv("ACK"),
        wait(100),
        own("BYE", 1, again=False),
        recv("BYE"),
        ok(),
        recv("200"),
    ),
    "busy": (recv("INVITE"), answer("486 Busy Here", again=True), recv("ACK")),
    "early": (
        recv("INVITE"),
        answer("183 Session Progress", sdp=True),
        wait(200),
        answer("200 OK", sdp=True, again=True),
        recv("ACK"),
        BYE,
    ),
    "late": (recv("INVITE"), wait(1200), answer("200 OK", sdp=True, again=True), recv("ACK"), BYE),
    "deaf": (recv("INVITE"), answer("200 OK", sdp=True, again=True), recv("ACK", 'optional="true" lost="100"'), BYE),
    "never": (
        recv("INVITE"),
        answer("180 Ringing"),
        recv("CANCEL", 'timeout="40000"'),
        ok(),
        send("SIP/2.0 487 Request Terminated\n" + last().replace("[last_CSeq:]", "CSeq: 1 INVITE") + EMPTY, again=True),
        recv("ACK"),
    ),
    "cross": (
        recv("INVITE", inside=KEEP),
        answer("180 Ringing"),
        recv("CANCEL", 'timeout="20000"'),
        ok(),
        answer("200 OK", sdp=True, again=True, head=KEPT),
        recv("ACK", 'timeout="8000"'),
        BYE,
    ),
    "challenge": (
        recv("INVITE"),
        answer("401 Unauthorized", again=True, more=CHALLENGE),
        recv("ACK"),
        recv("INVITE", 'next="1" test="good"', '<verifyauth assign_to="good" username="alice" password="secret"/>'),
        answer("403 Forbidden", again=True),
        recv("ACK", 'next="2"'),
        '<label id="1"/>\n',
        answer("200 OK", sdp=True, again=True),
        recv("ACK"),
        BYE,
        '<label id="2"/>\n',
    ),
}
CALLERS: dict[str, tuple[str, ...]] = {
    "plain": (invite(), early(), _GOOD, request("ACK", 1), wait(200), request("BYE", 2, again=True), recv("200")),
    "waits_for_bye": (invite(), early(), _GOOD, request("ACK", 1), BYE),
    "crosses": (
        invite(),
        recv("100", 'optional="true"'),
        recv("180"),
        CANCEL,
        recv("200", 'rrs="true"'),  # to the INVITE: it was on its way
        recv("200"),  # to the CANCEL
        request("ACK", 1),
        request("BYE", 2, again=True),
        recv("200"),
    ),
    "busy": (invite(), early(), recv("486"), request("ACK", 1, uri=URI, branch="[branch-5]", more="")),
    "authenticates": (
        invite(),
        recv("407", 'auth="true"'),
        request("ACK", 1, uri=URI, branch="[branch-2]", more=""),
        invite(2, "[authentication username=alice password=secret]\n"),
        early(),
        _GOOD,
        request("ACK", 2),
        request("BYE", 3, again=True),
        recv("200"),
    ),
    "cancels": (
        invite(),
        recv("100", 'optional="true"'),
        recv("180"),
        CANCEL,
        recv("200"),
        recv("487"),
        request("ACK", 1, uri=URI, branch="[branch-6]", more=""),
    ),
}


def free_port() -> int:
    """A port that nobody has at the moment, on UDP and on TCP. It is none of those that the system gives out by itself, which would be
    taken between our look and the peer's."""
    while True:
        port = 26_000 + secrets.randbelow(4_000)
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_media_port() -> int:
    """An even port with port + 2 free as well: SIPp binds both. It is none of those that the system gives out by itself, which would be
    taken between our look and SIPp's."""
    while True:
        port = 2 * secrets.randbelow(1900) + 22_000
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as two:
                one.bind(("127.0.0.1", port))
                two.bind(("127.0.0.1", port + 2))
                return port
        except OSError:
            continue


def scenario(name: str, steps: tuple[str, ...]) -> str:
    """The XML of a scenario."""
    text = "".join(steps)
    # SIPp refuses a scenario with a variable that nothing reads.
    kept = '<Reference variables="from,to"/>\n' if 'assign_to="from"' in text else ""
    return f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name="{name}">\n{text}{kept}</scenario>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a run of SIPp ended."""

    code: int
    """0 all calls good, 1 a call failed, 97 its own time-out, 124 ended by `timeout`, 255 fatal."""
    errors: str
    messages: str
    """Each message sent and received, as SIPp logs them."""

    @property
    def good(self) -> bool:
        return self.code == 0

    def received(self, start: str) -> int:
        """How many messages that begin so SIPp received."""
        return sum(part.lstrip().startswith(start) for part in self._parts("received"))

    def sent(self, start: str) -> int:
        """How many messages that begin so SIPp sent."""
        return sum(part.lstrip().startswith(start) for part in self._parts("sent"))

    @property
    def heard(self) -> list[str]:
        """Every message that SIPp received, repeats included, in order."""
        return [part.lstrip() for part in self._parts("received")]

    def _parts(self, way: str) -> list[str]:
        parts = self.messages.split("-----------------------------------------------")
        return [part.split("\n\n", 1)[1] for part in parts if f"message {way}" in part and "\n\n" in part]


FATAL = (254, 255)
"""SIPp's exit codes where a port is taken: one of audio, or one of SIP."""


class Sipp:
    """One SIPp process: a callee, or a caller where `call` says whom to call."""

    def __init__(
        self,
        folder: Path,
        steps: tuple[str, ...],
        *,
        call: tuple[str, int] | None = None,
        calls: int = 1,
        limit: int = 25,
        service: str = "12065550150",
        more: tuple[str, ...] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._scenario = folder / "scenario.xml"
        self._scenario.write_text(scenario(folder.name, steps))
        self._call, self._calls, self._limit, self._service, self._more = call, calls, limit, service, more
        self._process: subprocess.Popen[bytes] | None = None
        self._take_ports()

    def _take_ports(self) -> None:
        self.address = ("127.0.0.1", free_port())
        self.media_port = free_media_port()
        folder = self._folder
        self._command = [
            *("timeout", str(self._limit + 5), "sipp", "-sf", str(self._scenario), "-i", "127.0.0.1", "-p", str(self.address[1])),
            *("-mi", "127.0.0.1", "-mp", str(self.media_port), "-cp", str(free_port()), "-m", str(self._calls), "-s", self._service),
            *("-nostdin", "-timeout", f"{self._limit}s", "-trace_msg", "-message_file", str(folder / "messages.log")),
            *("-trace_err", "-error_file", str(folder / "errors.log"), *self._more),
        ]
        if self._call is not None:
            self._command.append(f"{self._call[0]}:{self._call[1]}")

    def __enter__(self) -> Sipp:
        for _ in range(3):
            with (self._folder / "screen.txt").open("wb") as screen:
                self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT)
            self._await_port()
            if self._process.poll() not in FATAL:
                break
            # Somebody took a port between our look and its bind.
            self._take_ports()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait(10)

    def _await_port(self) -> None:
        """Until its ports are bound: probing it with a message would count as one of its calls."""
        wanted = [self.address, *((self.address[0], port) for port in (self.media_port, self.media_port + 2))]
        pause = threading.Event()
        for _ in range(500):
            if all(_is_bound(address) for address in wanted):
                return
            assert self._process is not None
            if self._process.poll() is not None:
                # A caller may be done before its port was ever seen.
                return
            pause.wait(0.01)
        raise TimeoutError(f"SIPp did not bind {self.address}: {(self._folder / 'screen.txt').read_text(errors='replace')[-500:]}")

    def wait(self) -> Verdict:
        """Its verdict, after it ended by itself (bounded by `timeout`)."""
        assert self._process is not None
        code = self._process.wait(self._limit + 10)
        return Verdict(code=code, errors=self._read("errors.log"), messages=self._read("messages.log"))

    def _read(self, name: str) -> str:
        path = self._folder / name
        return path.read_text(errors="replace").replace("\r", "") if path.exists() else ""


def callee(name: str) -> tuple[str, ...]:
    """The steps of a callee, by name: see `CALLEES`."""
    return CALLEES[name]


def caller(name: str) -> tuple[str, ...]:
    """The steps of a caller, by name: see `CALLERS`."""
    return CALLERS[name]


def _is_bound(address: tuple[str, int]) -> bool:
    """As the kernel's table says; where /proc is not mounted, by trying to take the port."""
    table = Path("/proc/net/udp")
    if table.exists():
        return f":{address[1]:04X} " in table.read_text()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(address)
        except OSError:
            return True
    return False
