"""Prompts of every kind in use become 8 kHz, 16-bit, mono; the rest is refused by name (reference 10.1)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from helpers.sounds import heard, tone, write
from outdial.io.audio_files import AudioRefused, prepare


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000])
def test_the_tone_is_still_the_tone(tmp_path: Path, rate: int, subtype: str, channels: int) -> None:
    sound = tone(1000, 1.0, rate)
    source = write(tmp_path / "in.wav", np.column_stack([sound] * channels), rate, subtype)
    samples = prepare(source, tmp_path / "out.wav", "in.wav")
    hz, level, seconds = heard(tmp_path / "out.wav")
    assert hz == pytest.approx(1000, abs=1.5)
    assert level == pytest.approx(0.5, rel=0.02)
    assert seconds == pytest.approx(1.0, abs=0.002)
    assert samples == round(seconds * 8000)


def test_the_extensible_header_that_studios_write(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", tone(1000, 1.0, 48000), 48000, "PCM_24", "WAVEX")
    prepare(source, tmp_path / "out.wav", "in.wav")
    assert heard(tmp_path / "out.wav")[0] == pytest.approx(1000, abs=1.5)


def test_what_is_above_telephone_band_does_not_fold_back(tmp_path: Path) -> None:
    prepare(write(tmp_path / "in.wav", tone(7000, 1.0, 44100), 44100), tmp_path / "out.wav", "in.wav")
    assert heard(tmp_path / "out.wav")[1] < 0.005


def test_what_is_right_already_stays_as_it_is_to_the_bit(tmp_path: Path) -> None:
    samples = np.random.default_rng(1).integers(-32768, 32767, 81234, dtype="int16")
    source = write(tmp_path / "in.wav", samples, 8000)
    assert prepare(source, tmp_path / "out.wav", "in.wav") == 81234
    assert np.array_equal(soundfile.read(str(tmp_path / "out.wav"), dtype="int16")[0], samples)


def test_full_scale_is_not_wrapped(tmp_path: Path) -> None:
    square = np.where(np.arange(44100) // 50 % 2 == 0, 1.0, -1.0)
    prepare(write(tmp_path / "in.wav", square, 44100), tmp_path / "out.wav", "in.wav")
    out = soundfile.read(str(tmp_path / "out.wav"))[0]
    inside = out.reshape(-1)[100:-100]
    expected = np.where(np.arange(len(out)) * 44100 / 8000 // 50 % 2 == 0, 1.0, -1.0)[100:-100]
    assert np.mean(np.sign(inside) == expected) > 0.9


def test_both_channels_are_heard(tmp_path: Path) -> None:
    silence = np.zeros(8000)
    prepare(write(tmp_path / "in.wav", np.column_stack([silence, tone(500, 1, 8000)]), 8000), tmp_path / "out.wav", "in.wav")
    hz, level, _ = heard(tmp_path / "out.wav")
    assert hz == pytest.approx(500, abs=1)
    assert level == pytest.approx(0.25, rel=0.02)


def refused(source: Path, to: Path) -> AudioRefused:
    with pytest.raises(AudioRefused) as caught:
        prepare(source, to, "s3://b/k.wav")
    assert list(to.parent.glob("*.part-*")) == []
    assert not to.exists()
    return caught.value


@pytest.mark.parametrize(("content", "detail"), [
    (b"", "s3://b/k.wav is not a WAV file (it is empty); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
    (b"ID3\x04" + bytes(100), "s3://b/k.wav is not a WAV file (it looks like MP3); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
    (b"\xff\xfb\x90\x00" + bytes(100), "s3://b/k.wav is not a WAV file (it looks like MP3); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
    (b"OggS" + bytes(100), "s3://b/k.wav is not a WAV file (it looks like Ogg); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
    (b"fLaC" + bytes(100), "s3://b/k.wav is not a WAV file (it looks like FLAC); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
    (b"<xml/>" + bytes(100), "s3://b/k.wav is not a WAV file (it begins with b'<xml'); convert it to PCM WAV, 8 kHz, 16-bit, mono"),
])  # fmt: skip
def test_not_wav(tmp_path: Path, content: bytes, detail: str) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(content)
    error = refused(source, tmp_path / "to" / "out.wav")
    assert (error.reason, error.detail) == ("format", detail)


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "FLOAT", "IMA_ADPCM", "GSM610"])
def test_wav_that_is_not_pcm(tmp_path: Path, subtype: str) -> None:
    """Reference 10.1: A-law and µ-law are not documented, so refused."""
    error = refused(write(tmp_path / "in.wav", tone(500, 1, 8000), 8000, subtype), tmp_path / "to" / "out.wav")
    assert error.reason == "format"
    assert error.detail.endswith("only uncompressed PCM of 8, 16, 24 or 32 bits can be played")


def test_six_channels(tmp_path: Path) -> None:
    error = refused(write(tmp_path / "in.wav", np.zeros((100, 6)), 8000), tmp_path / "to" / "out.wav")
    assert error.detail == "s3://b/k.wav has 6 channels; one or two can be played"


def test_no_sound_at_all(tmp_path: Path) -> None:
    assert refused(write(tmp_path / "in.wav", np.zeros(0), 8000), tmp_path / "to" / "out.wav").detail == "s3://b/k.wav holds no sound"


def sparse(path: Path, rate: int, frame: int, seconds: int) -> Path:
    """A mono PCM file of silence that takes no room on the disk."""
    size = rate * frame * seconds
    fields = (b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate, rate * frame, frame, frame * 8, b"data", size)
    path.write_bytes(struct.pack("<4sI4s4sIHHIIHH4sI", *fields))
    with path.open("r+b") as file:
        file.truncate(44 + size)
    return path


def test_a_prompt_two_hours_long(tmp_path: Path) -> None:
    error = refused(sparse(tmp_path / "in.wav", 6000, 1, 7200), tmp_path / "to" / "out.wav")
    assert (error.reason, error.detail) == ("too_long", "s3://b/k.wav lasts 120 minutes; the most is just under 120")


def test_a_prompt_over_fifty_megabytes(tmp_path: Path) -> None:
    error = refused(sparse(tmp_path / "in.wav", 8000, 2, 7200), tmp_path / "to" / "out.wav")
    assert (error.reason, error.detail) == (
        "too_large",
        "s3://b/k.wav has 115,200,044 bytes, the most is 52,428,800 (50 MB, as Amazon's service)",
    )


def test_a_prompt_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    source = write(tmp_path / "in.wav", tone(500, 1, 44100), 44100)
    with pytest.raises(AudioRefused) as caught:
        prepare(source, tmp_path / "out.wav", "in.wav", time_limit_s=0)
    assert caught.value.reason == "too_long"


def test_every_truncation_is_refused_or_played_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.wav", tone(500, 0.02, 16000), 16000).read_bytes()
    cut, out = tmp_path / "cut.wav", tmp_path / "out.wav"
    outcomes: set[Any] = set()
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        try:
            samples = prepare(cut, out, "cut.wav")
            assert out.stat().st_size == 44 + 2 * samples
            outcomes.add("played")
        except AudioRefused as error:
            outcomes.add(error.reason)
    assert outcomes == {"played", "format"}
