"""Member names from before UTF-8: which of the old encodings of China, Japan, Korea and DOS they are in.

The encoding is that under which the archive's names, taken together, are most likely (naive Bayes over
character classes). charset-normalizer, restricted to the same encodings, is made for running text, not for
titles: it misread 10 of the 29 volumes in this room's tests when this was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

FALLBACK = "cp437"
_SAMPLE_NAMES = 1000
_ASCII_CHARACTERS = 64
_RARE = 1e-8
_UNDECODABLE = log(1e-9)  # a byte, of a name that the encoding cannot hold


@dataclass(frozen=True)
class _Zone:
    """Characters whose first byte lies in first..last and whose last byte is at least `trail`."""

    first: int
    last: int
    share: float
    characters: int
    trail: int = 0

    def holds(self, code: bytes) -> bool:
        return self.first <= code[0] <= self.last and code[-1] >= self.trail


@dataclass(frozen=True)
class _Encoding:
    """How often names in this encoding use which character: a few frequent ones, the first zone that holds it."""

    codec: str
    frequent: str = ""
    frequent_share: float = 0.3
    zones: tuple[_Zone, ...] = ()
    rare: float = _RARE
    foreign_share: float = 0.6  # of characters beyond ASCII: most in a Chinese title, few in a French one

    def log_likelihood(self, name: bytes) -> float:
        try:
            text = name.decode(self.codec)
        except UnicodeDecodeError:
            return len(name) * _UNDECODABLE
        return sum(_character(self, character) for character in text)

    def density(self, character: str) -> float:
        if character in self.frequent:
            return self.frequent_share / len(self.frequent)
        code = character.encode(self.codec)
        return next((zone.share / zone.characters for zone in self.zones if zone.holds(code)), self.rare)


@lru_cache(maxsize=1 << 16)
def _character(encoding: _Encoding, character: str) -> float:
    if character.isascii():
        return log((1 - encoding.foreign_share) / _ASCII_CHARACTERS)
    return log(encoding.foreign_share * encoding.density(character))


# shares are estimates; the sizes of the zones are those of the standards (GB 2312 and JIS X 0208 levels 1 and 2,
# Big5 levels 1 and 2, the 2350 syllables of KS X 1001)
_ENCODINGS = (
    _Encoding(
        "utf-8",
        zones=(
            _Zone(0xE1, 0xF4, 1.0, 50),  # CJK, dense: three bytes that are valid by chance are next to unheard of
            _Zone(0xC3, 0xC3, 1.0, 50),  # letters with accents, whole and (CC, CD) decomposed; Cyrillic
            _Zone(0xCC, 0xD1, 1.0, 50),
        ),
        rare=1e-5,  # other pairs do occur by chance: GBK for "contents" is valid UTF-8
    ),
    _Encoding(
        "gb18030",
        "第话卷封面扉页目录彩图版集册章番外篇本上中下前后完之的漫画底记新图片照文件夹",
        zones=(
            _Zone(0xA1, 0xA1, 0.03, 94, trail=0xA1),
            _Zone(0xA3, 0xA3, 0.02, 94, trail=0xA1),
            _Zone(0xB0, 0xD7, 0.63, 3755, trail=0xA1),
            _Zone(0xD8, 0xF7, 0.017, 3008, trail=0xA1),
            _Zone(0xA1, 0xA9, 0.001, 600, trail=0xA1),
        ),
    ),
    _Encoding(
        "cp932",
        "第話巻表紙裏目次扉絵編章画本集号特別篇上中下前後完版",
        zones=(
            _Zone(0xA1, 0xDF, 0.02, 63),  # single bytes: half-width kana
            _Zone(0x81, 0x81, 0.05, 108),
            _Zone(0x82, 0x82, 0.17, 83, trail=0x9F),
            _Zone(0x82, 0x82, 0.01, 62),
            _Zone(0x83, 0x83, 0.17, 86),
            _Zone(0x88, 0x97, 0.27, 2965),
            _Zone(0x98, 0xEA, 0.01, 3390),
        ),
    ),
    _Encoding(
        "big5",
        "第話卷封面扉頁目錄彩圖版集冊章番外篇本上中下前後完之的漫畫底記新圖片照資料夾",
        zones=(
            _Zone(0xA1, 0xA1, 0.05, 157),
            _Zone(0xA4, 0xC6, 0.63, 5401),
            _Zone(0xC9, 0xF9, 0.019, 7652),
            _Zone(0xA2, 0xA3, 0.001, 250),
        ),
    ),
    _Encoding(
        "euc_kr",
        "이가는을의에로하고다지한도기사리자시어아은인그나서를라일대있정수해주제만부전보여상오들장구과비스마용원무조게"
        "소화생경성모음우유적공거안동발신물차위관선내세연실방각문회계단되드르학국명년행당말감양번편권표목호외진폴더새완판피",
        0.55,
        zones=(
            _Zone(0xA1, 0xA3, 0.05, 188),
            _Zone(0xB0, 0xC8, 0.39, 2350),
            _Zone(0xCA, 0xFD, 0.009, 4888),
        ),
    ),
    _Encoding(FALLBACK, "áéíóúüöäñÑçàèêëïîôûùßÄÖÜÉæÆåÅÿ½¼«»", 0.95, rare=0.05 / 128, foreign_share=0.15),
)


def decode_names(names: Sequence[bytes]) -> list[str]:
    """The names of one archive or folder as text; a name that the encoding cannot hold is read as cp437."""
    codec = guess_codec(names)
    return [_decode(name, codec) for name in names]


def guess_codec(names: Iterable[bytes]) -> str:
    """The encoding most likely for all `names` together; they are one person's and share it."""
    telling = dict.fromkeys(name for name in names if not name.isascii())
    sample = list(telling)[:_SAMPLE_NAMES]
    return max(_ENCODINGS, key=lambda encoding: sum(map(encoding.log_likelihood, sample))).codec


def _decode(name: bytes, codec: str) -> str:
    try:
        return name.decode(codec)
    except UnicodeDecodeError:
        return name.decode(FALLBACK)
