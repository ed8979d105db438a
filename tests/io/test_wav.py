"""The WAV header that the engine plays and writes, against Python's `wave`; and its repair, cut off anywhere."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from outdial.io import wav


@pytest.mark.parametrize("samples", [0, 1, 8000])
def test_header_as_python_writes_it(samples: int) -> None:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * samples))
    assert out.getvalue()[:44] == wav.header(samples)


def test_repair_wherever_it_was_cut_off(tmp_path: Path) -> None:
    """The header says 0 samples, as in a file whose engine died within the first second; the sound reaches to some byte."""
    path = tmp_path / "r.wav"
    sound = np.arange(-50, 50, dtype="<i2")
    whole = wav.header(0) + sound.tobytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        if length < wav.HEADER:
            with pytest.raises(wav.NotWav):
                wav.repair(path)
            assert path.read_bytes() == whole[:length]
        else:
            samples = wav.repair(path)
            assert samples == (length - wav.HEADER) // 2
            read, rate = soundfile.read(str(path), dtype="int16")
            assert rate == 8000
            assert np.array_equal(read, sound[:samples])


def test_repair_changes_nothing_in_a_file_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    path.write_bytes(wav.header(100) + bytes(range(200)))
    before = path.read_bytes()
    assert wav.repair(path) == 100
    assert path.read_bytes() == before


def test_repair_keeps_what_stands_before_the_sound(tmp_path: Path) -> None:
    path = tmp_path / "r.wav"
    whole = wav.header(100)
    path.write_bytes(whole[:36] + b"LIST\x05\x00\x00\x00hello\x00" + b"data\x00\x00\x00\x00" + bytes(80))
    assert wav.repair(path) == 40
    assert len(soundfile.read(str(path))[0]) == 40


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3" + bytes(100), wav.header(0)[:36] + b"LIST\xff\xff\xff\xff" + bytes(100)])
def test_what_is_no_wav_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.wav"
    path.write_bytes(content)
    with pytest.raises(wav.NotWav) as caught:
        wav.repair(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
