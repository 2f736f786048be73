from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.books.legacy_names import decode_names

VOLUMES = {
    "cp932": [
        ["第01話/001.jpg", "第01話/002.jpg", "第02話/001.jpg"],
        ["表紙.jpg", "裏表紙.jpg", "目次.jpg"],
        ["ドラえもん 第3巻/ソ001.jpg"],  # the second byte of ソ and 表 is a backslash
        ["坊っちゃん.png"],
        ["ｵﾏｹﾏﾝｶﾞ/第01話.jpg"],
        ["冬休みの写真/雪だるま.jpg"],
        ["ＪＯＪＯ 第５部/001.jpg"],
    ],
    "gbk": [
        ["第一卷/封面.jpg", "第一卷/001.jpg"],
        ["目录.jpg"],  # valid UTF-8 by chance
        ["哪吒之魔童降世/01.png", "哪吒之魔童降世/02.png"],
        ["围棋少年 第2话/1.jpg"],
        ["西游记连环画.jpg"],
        ["2019年春节 爷爷奶奶.jpg"],
    ],
    "big5": [
        ["第一卷/封面.jpg", "第一卷/001.jpg"],
        ["烏龍派出所 第5集/001.jpg"],
        ["老夫子.jpg", "牛伯伯打游擊.jpg"],
        ["2019年春節 爺爺奶奶.jpg"],
        ["許功蓋.jpg"],  # each ends in a backslash
    ],
    "euc_kr": [
        ["제1화/001.jpg", "제1화/002.jpg"],
        ["신의 탑 1권/표지.jpg"],
        ["가족 여행 사진.jpg"],
    ],
    "cp437": [
        ["Les Aventures de Bécassine/01.jpg"],
        ["Max und Moritz, Ausgabe für Schüler.png"],
        ["Mañana.jpg", "Niñez.jpg"],
    ],
    "utf-8": [
        ["第01話/001.jpg", "第一卷/封面.jpg"],
        ["Bécassine.jpg"],
        ["Be\u0301cassine.jpg"],  # as macOS writes it
        ["Чебурашка.jpg"],
        ["표지.jpg"],
    ],
}
CASES = [(codec, names) for codec, volumes in VOLUMES.items() for names in volumes]


@pytest.mark.parametrize(("codec", "names"), CASES, ids=[f"{codec}-{names[0]}" for codec, names in CASES])
def test_names_are_found_as_they_were_written(codec: str, names: list[str]) -> None:
    assert decode_names([name.encode(codec) for name in names]) == names


def test_short_names_profit_from_their_neighbours() -> None:
    names = ["銀魂", "第一卷/封面.jpg", "後記.jpg", "001.jpg"]
    assert decode_names([name.encode("big5") for name in names]) == names


def test_one_broken_name_leaves_the_others_readable() -> None:
    whole = [f"第{number}話/表紙.jpg" for number in range(9)]
    cut = "第10話".encode("cp932")[:-1]
    names = decode_names([*(name.encode("cp932") for name in whole), cut])
    assert names[:-1] == whole
    assert names[-1].encode("cp437") == cut


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_become_text(names: list[bytes]) -> None:
    decoded = decode_names(names)
    assert len(decoded) == len(names)
    assert all(text == raw.decode() for text, raw in zip(decoded, names, strict=True) if raw.isascii())
