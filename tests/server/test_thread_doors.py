"""What may block long has threads of its own: a turn is behind no covers, no archives being unpacked, no drivers."""

from __future__ import annotations

import threading

import anyio
import pytest

from enlarger.server.threads import in_book_thread, in_device_thread, in_small_thread, in_thread


@pytest.mark.parametrize("door", [in_book_thread, in_small_thread, in_device_thread])
def test_a_turn_is_not_behind_what_blocks(door: object) -> None:
    go_on, answers = threading.Event(), []

    async def ask() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(40):  # more than there are threads of any kind
                tasks.start_soon(door, go_on.wait, 30)  # type: ignore[arg-type]
            with anyio.fail_after(20):
                answers.append(await in_thread(lambda: "turned"))
            go_on.set()

    anyio.run(ask)
    assert answers == ["turned"]
