"""Tones: the file that a key names, judged by its content."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest

from outdial.carrier.tones import source, wav


@pytest.mark.parametrize(("hertz", "ms"), [(1000, 500), (2100, 3000), (440, 50)])
def test_a_tone_has_its_pitch_and_length_and_no_click(hertz: int, ms: int) -> None:
    data = wav(source(hertz, ms).key)
    assert data is not None
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels(), file.getnframes()) == (8000, 2, 1, ms * 8)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(float)
    spectrum = np.abs(np.fft.rfft(samples))
    assert abs(int(spectrum.argmax()) * 8000 / len(samples) - hertz) <= 8000 / len(samples)
    assert 7000 < np.abs(samples).max() <= 8192
    assert abs(samples[0]) < 10
    assert abs(samples[-1]) < 300


@pytest.mark.parametrize("key", ["", "x.wav", "1hz-5ms.wav", "1000hz-500ms.mp3", "../1000hz-500ms.wav", "1000hz-9999999ms.wav"])
def test_other_keys_name_no_tone(key: str) -> None:
    assert wav(key) is None
