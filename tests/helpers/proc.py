"""For tests that look at processes through /proc: a bare chroot may have none."""

from __future__ import annotations

from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is not mounted")
