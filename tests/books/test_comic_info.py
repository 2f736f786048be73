from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enlarger.books import PageFacts, refresh_comic_info

FACTS = [PageFacts(2000, 3000, 123456), PageFacts(1600, 2400, 99)]
DOCUMENT = """<?xml version="1.0" encoding="{encoding}"?>
<ComicInfo xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <!-- <Page Image="0" ImageWidth="5"/> -->
  <Title>第一卷 &amp; more</Title><Summary><![CDATA[<Page Image="0" ImageWidth="5"/>]]></Summary>
  <Pages>
    <Page Image="0" Type='FrontCover' ImageWidth="{w0}" ImageSize='{s0}'
          Bookmark=" ImageWidth='7' &gt;" ImageHeight="{h0}" />
    <Page ImageWidth = "{w1}" Image="1"></Page>
    <Page Image="2" ImageWidth="800"/>
    <Page Image="-1" ImageWidth="800"/>
    <Page ImageWidth="800"/>
  </Pages>
  <Page Image="0" ImageWidth="800"/>
</ComicInfo>
"""
STALE = {"w0": 1000, "h0": 1500, "s0": 6543, "w1": 800}
FRESH = {"w0": 2000, "h0": 3000, "s0": 123456, "w1": 1600}


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("UTF-16", "utf-16"), ("GB18030", "gb18030"), ("Shift_JIS", "cp932")],
)
def test_stated_sizes_are_made_true_and_all_else_stays(encoding: str, codec: str) -> None:
    stale = DOCUMENT.format(encoding=encoding, **STALE).encode(codec)
    assert refresh_comic_info(stale, FACTS) == DOCUMENT.format(encoding=encoding, **FRESH).encode(codec)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_the_byte_order_is_kept(codec: str) -> None:
    stale, fresh = ("\ufeff" + DOCUMENT.format(encoding="utf-16", **values) for values in (STALE, FRESH))
    assert refresh_comic_info(stale.encode(codec), FACTS) == fresh.encode(codec)


def test_pages_that_did_not_change_are_left() -> None:
    stale = DOCUMENT.format(encoding="utf-8", **STALE).encode()
    fresh = DOCUMENT.format(encoding="utf-8", **(STALE | {"w1": 1600})).encode()
    assert refresh_comic_info(stale, [None, FACTS[1]]) == fresh


PAGE = b'<Pages><Page Image="0" ImageWidth="1"/></Pages>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not XML",
        b"<ComicInfo>" + PAGE,
        b'<!DOCTYPE ComicInfo [<!ENTITY a "b">]><ComicInfo>' + PAGE + b"</ComicInfo>",
        b'<?xml version="1.0" encoding="klingon"?><ComicInfo>' + PAGE + b"</ComicInfo>",
        b'<?xml version="1.0" encoding="hex"?><ComicInfo>' + PAGE + b"</ComicInfo>",
        b"<ComicInfo><Title>\xff</Title>" + PAGE + b"</ComicInfo>",
    ],
)
def test_what_cannot_be_edited_safely_comes_back_as_it_was(data: bytes) -> None:
    assert refresh_comic_info(data, FACTS) == data


@given(st.binary(max_size=200))
def test_any_bytes_come_back(data: bytes) -> None:
    assert refresh_comic_info(data, FACTS) == data
