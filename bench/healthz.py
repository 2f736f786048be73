"""Asks /healthz ten times a second until its input ends, then prints the seconds each took: a process of its own.

Beside a hundred clients in one process, what would be measured is that process.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time

EVERY_S = 0.1


def main(port: int) -> None:
    """Over one connection, as a probe does."""
    ended = threading.Event()
    threading.Thread(target=_await_end, args=(ended,), daemon=True).start()
    connection, seconds = http.client.HTTPConnection("127.0.0.1", port, timeout=60), list[float]()
    while not ended.wait(EVERY_S):
        began = time.perf_counter()
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        seconds.append(time.perf_counter() - began)
        assert answer.status == 200, answer.status
    json.dump(seconds, sys.stdout)


def _await_end(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


if __name__ == "__main__":
    main(int(sys.argv[1]))
