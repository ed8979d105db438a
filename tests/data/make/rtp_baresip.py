"""Writes tests/data/rtp_baresip_digits.bin: what a baresip sent while it dialled digits into a call with another one.

Needs baresip, sox and tshark. Each record: seconds since the first (double), destination port even or odd (0 RTP, 1 RTCP), length
(16 bits), the datagram; network byte order.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DIGITS = "15*0#D7"
OUT = Path(__file__).parent.parent / "rtp_baresip_digits.bin"


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def phone(folder: Path, name: str, sip: int, control: int, rtp: int) -> subprocess.Popen[bytes]:
    home = folder / name
    home.mkdir()
    (home / "contacts").touch()
    sound = "-n -r 8000 -c 1 -b 16 {} synth 30 sine 440 gain -6"
    subprocess.run(["sox", *sound.format(home / "say.wav").split()], check=True)
    (home / "accounts").write_text(f"<sip:{name}@127.0.0.1:{sip}>;regint=0;answermode=auto;audio_codecs=pcmu\n")
    modules = "".join(f"module {module}.so\n" for module in ("g711", "aufile"))
    (home / "config").write_text(
        f"sip_listen 127.0.0.1:{sip}\nnet_interface 127.0.0.1\nrtp_ports {rtp}-{rtp + 20}\naudio_source aufile,{home}/say.wav\n"
        f"module_path /usr/lib/baresip/modules\n{modules}module_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\n"
        f"ctrl_tcp_listen 127.0.0.1:{control}\n"
    )
    return subprocess.Popen(
        ["timeout", "40", "baresip", "-f", str(home), "-t", "35"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def connect(port: int) -> socket.socket:
    for _ in range(1000):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.02)
    raise SystemExit("baresip did not start")


def command(sock: socket.socket, name: str, params: str = "") -> None:
    body = json.dumps({"command": name, "params": params, "token": name}).encode()
    sock.sendall(b"%d:%s," % (len(body), body))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sip_a, sip_b, control_a, control_b = (free_port() for _ in range(4))
        rtp_a, rtp_b = 21000, 21100
        phones = [phone(folder, "alice", sip_a, control_a, rtp_a), phone(folder, "bob", sip_b, control_b, rtp_b)]
        capture = folder / "c.pcap"
        sniffer = subprocess.Popen(
            [
                "timeout",
                "60",
                "tshark",
                "-q",
                "-F",
                "pcap",
                "-i",
                "lo",
                "-f",
                f"udp dst portrange {rtp_b}-{rtp_b + 20}",
                "-w",
                str(capture),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        alice, _bob = connect(control_a), connect(control_b)
        while not capture.exists() or capture.stat().st_size == 0:
            time.sleep(0.02)
        time.sleep(0.3)
        command(alice, "dial", f"sip:bob@127.0.0.1:{sip_b}")
        time.sleep(1.5)
        for digit in DIGITS:
            command(alice, "sndcode", digit)
            time.sleep(0.6)
        time.sleep(5)
        command(alice, "hangup")
        time.sleep(0.5)
        sniffer.send_signal(signal.SIGINT)
        sniffer.wait()
        for process in phones:
            process.terminate()
            process.wait()
        OUT.write_bytes(convert(capture.read_bytes()))
    print(f"{OUT}: {OUT.stat().st_size} bytes", file=sys.stderr)


def convert(data: bytes) -> bytes:
    """The UDP payloads of a pcap file of the loopback interface, with their moments."""
    magic = struct.unpack_from("<I", data)[0]
    scale = 1e9 if magic == 0xA1B23C4D else 1e6
    at, out, first = 24, b"", None
    while at < len(data):
        seconds, part, length, _ = struct.unpack_from("<IIII", data, at)
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        moment = seconds + part / scale
        first = moment if first is None else first
        ip = frame[14:]
        udp = ip[(ip[0] & 15) * 4 :]
        port = struct.unpack_from("!H", udp, 2)[0]
        out += struct.pack("!dBH", moment - first, port & 1, len(udp) - 8) + udp[8:]
    return out


if __name__ == "__main__":
    main()
