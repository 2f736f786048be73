"""People's regular expressions: none can stall the reader, bad ones are told, each is compiled once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from enlarger.errors import BadRuleError
from enlarger.reader.patterns import Patterns


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(a*)*c", "(.*a){12}b"])
def test_a_catastrophic_pattern_cannot_hang(pattern: str) -> None:
    code = (
        "from enlarger.reader.patterns import Patterns\n"
        f"assert Patterns().found({pattern!r}, 'a' * 100_000 + '!') is False"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # with Python's own `re`: longer than a life


@pytest.mark.parametrize("pattern", ["(", "[a", "(?=a)", r"(a)\1", "a{1001}", "*", "x" * 10_001, "\ud800["])
def test_a_bad_pattern_is_an_error_with_its_reason_each_time(pattern: str) -> None:
    patterns = Patterns()
    for _ in range(2):
        with pytest.raises(BadRuleError) as caught:
            patterns.found(pattern, "text")
        assert "not a regular expression" in caught.value.text("en")
        assert caught.value.remedy is not None
    assert (patterns.misses, patterns.hits) == (1, 1)


def test_patterns_are_found_anywhere_in_any_script() -> None:
    patterns = Patterns()
    assert patterns.found("第.卷", "/漫画/第一卷.cbz")
    assert patterns.found("(?i)COVER", "/a/cover.jpg")
    assert not patterns.found("^cover", "/a/cover.jpg")
    assert patterns.found(r"\.jpg$", "/bad name \udce9.jpg")  # a name that is no text
    assert (patterns.misses, patterns.hits) == (4, 0)


def test_compiled_patterns_are_counted_and_bounded() -> None:
    patterns = Patterns()
    for number in range(1100):
        patterns.found(f"a{number}", "")
    patterns.found("a1099", "")
    assert (patterns.misses, patterns.hits) == (1100, 1)
    patterns.found("a0", "")  # dropped long ago
    assert patterns.misses == 1101


@pytest.mark.parametrize(
    "pattern", [r"(?i)\p{L}{3}", r".{1,300}\.png$", "第" * 2500, "|".join(f"book{n:04}" for n in range(1111))]
)
def test_a_pattern_that_people_write_is_not_too_much(pattern: str) -> None:
    Patterns().check(pattern)


@pytest.mark.parametrize("pattern", ["(.?){999}b", r"[\pL\pN]{1000}", r"((\pL\d){20}){20}", "x" * 10_001])
def test_a_pattern_that_takes_long_at_each_character_is_refused(pattern: str) -> None:
    with pytest.raises(BadRuleError):
        Patterns().check(pattern)


def test_patterns_that_are_too_much_together_are_refused() -> None:
    patterns = Patterns()
    heavy = [f"(a?b){{150}}{number}" for number in range(40)]
    patterns.check_together([*heavy[:10], "(bad", "第.卷"])
    with pytest.raises(BadRuleError, match="too much together"):
        patterns.check_together(heavy)
    patterns.check_together(rf"^/漫画/.*第{number:03}卷.*\.(cbz|zip)$" for number in range(200))  # what people write


def test_the_engine_is_loaded_only_for_a_pattern() -> None:
    code = "import sys, enlarger.reader; assert 're2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
