"""What a person's own card may be called."""

from __future__ import annotations

import pytest

from enlarger.models.own_cards import is_card_name


@pytest.mark.parametrize("name", ["a", "my_anime", "4x-ultra.sharp-v1", "console", "com10", "a.con", "x" * 64])
def test_a_plain_word_is_a_name(name: str) -> None:
    assert is_card_name(name)


@pytest.mark.parametrize("name", ["", "Mine", "a b", "a/b", "..", "a.", "-a", "名", "x" * 65])
def test_what_is_no_word_everywhere_is_none(name: str) -> None:
    assert not is_card_name(name)


@pytest.mark.parametrize("name", ["con", "nul", "aux", "prn.x", "com1", "lpt1.v2"])
def test_no_name_is_a_device_on_windows(name: str) -> None:
    assert not is_card_name(name)
