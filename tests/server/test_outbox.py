"""What waits for one client: the newest of each kind, bounded; what must come in order comes in order."""

from __future__ import annotations

import asyncio

from anyio import run
from hypothesis import given
from hypothesis import strategies as st

from enlarger.server.outbox import Outbox


async def taken(outbox: Outbox) -> list[str]:
    """Everything that is there now."""
    texts = []
    while True:
        try:
            texts.append(await asyncio.wait_for(outbox.get(), 0.01))
        except TimeoutError:
            return texts


def test_only_the_newest_of_a_kind_is_sent() -> None:
    async def told() -> list[str]:
        outbox = Outbox("resync")
        for key, text in [("a", "a1"), ("b", "b1"), ("a", "a2")]:
            outbox.put(key, text)
        return await taken(outbox)

    assert run(told) == ["a2", "b1"]


def test_too_much_news_becomes_one_word() -> None:
    async def told() -> list[str]:
        outbox = Outbox("resync", most_news=3)
        await outbox.put_in_order("first")
        for number in range(10_000):
            outbox.put(number % 7, str(number))
        await outbox.put_in_order("second")
        return await taken(outbox)

    texts = run(told)
    assert "resync" in texts
    assert len(texts) <= 3 + 2
    assert [text for text in texts if text in ("first", "second")] == ["first", "second"]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 4), st.integers(1, 4))
def test_no_client_sees_old_news_as_the_last(keys: list[int], most_news: int, most_in_order: int) -> None:
    """After a resync a client reads anew; otherwise the last it heard of a key is the last that was said."""

    async def told() -> list[str]:
        outbox = Outbox("resync", most_news=most_news, most_in_order=most_in_order)
        for number, key in enumerate(keys):
            outbox.put(key, f"{key}:{number}")
        return await taken(outbox)

    texts = run(told)
    last = {str(key): f"{key}:{number}" for number, key in enumerate(keys)}
    known = {text.partition(":")[0]: text for text in texts if text != "resync"}
    assert "resync" in texts or known == last
    assert len(texts) <= most_news + 1


def test_what_comes_in_order_waits_for_room() -> None:
    async def told() -> tuple[list[str], list[str]]:
        outbox = Outbox("resync", most_in_order=2)
        sent: list[str] = []

        async def send() -> None:
            for number in range(5):
                await outbox.put_in_order(str(number))
                sent.append(str(number))

        sending = asyncio.ensure_future(send())
        await asyncio.sleep(0.01)
        waiting = list(sent)
        heard = await taken(outbox)
        await sending
        return waiting, heard

    assert run(told) == (["0", "1"], ["0", "1", "2", "3", "4"])
