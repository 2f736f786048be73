"""The peak of another process is its own, and counted even when it is over."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from bench.alternate import PeerError
from bench.memory import spent_by

_MIB = 2**20


def test_the_peak_counts_what_was_given_back_and_nothing_of_ours() -> None:
    ours = np.ones(300 * _MIB, np.uint8)
    code = f"import time; held = bytearray(b'1') * (100 * {_MIB}); del held; time.sleep(0.2)"
    spent = spent_by([sys.executable, "-c", code], {})
    assert 100 * _MIB < spent.peak_bytes < ours.nbytes
    assert spent.seconds >= 0.2


def test_the_environment_is_added_to_ours() -> None:
    code = "import os; assert os.environ['PATH'] and os.environ['ENLARGER_LANGUAGE'] == 'zh'"
    spent_by([sys.executable, "-c", code], {"ENLARGER_LANGUAGE": "zh"})


def test_a_failure_says_its_last_words() -> None:
    with pytest.raises(PeerError, match="exit code 3: no weights"):
        spent_by([sys.executable, "-c", "import sys; print('no weights', file=sys.stderr); sys.exit(3)"], {})


def test_a_command_that_says_much_is_not_held_up() -> None:
    spent_by([sys.executable, "-c", f"import sys; sys.stderr.write('x' * {_MIB})"], {})
