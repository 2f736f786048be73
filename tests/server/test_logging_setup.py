"""The log: one JSON object a line with the request's id, uvicorn's lines among them, errors with their traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_PROGRAM = """
import logging, structlog
from enlarger.server.logging_setup import set_up_logging
from enlarger.settings import Settings
set_up_logging(Settings(json_logs={json}))
with structlog.contextvars.bound_contextvars(request="r-1"):
    logging.getLogger("enlarger.server").info("request", extra={{"path": "/v1/jobs", "status": 200}})
    logging.getLogger("uvicorn.error").info("Started %s", "it")
    logging.getLogger("enlarger.jobs").warning("a page failed: %s", "坏", extra={{"job": "j-1", "page": "003.jpg"}})
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger("uvicorn.error").exception("broken")
logging.getLogger("uvicorn.access").info("not this one")
"""


def logged(*, as_json: bool) -> str:
    program = _PROGRAM.format(json=as_json)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b""
    return done.stderr.decode()


def test_lines_for_programs() -> None:
    lines = [json.loads(line) for line in logged(as_json=True).splitlines()]
    assert [line["event"] for line in lines] == ["request", "Started it", "a page failed: 坏", "broken"]
    assert all(line["request"] == "r-1" and line["timestamp"] for line in lines)
    assert (lines[0]["path"], lines[0]["level"], lines[1]["logger"]) == ("/v1/jobs", "info", "uvicorn.error")
    assert (lines[2]["job"], lines[2]["page"]) == ("j-1", "003.jpg")
    assert lines[3]["exception"][0]["exc_type"] == "ZeroDivisionError"


@pytest.mark.skipif(os.name == "nt", reason="there is no fork")
def test_a_worker_s_lines_name_it_and_load_no_http() -> None:
    program = """
import multiprocessing, sys
from enlarger.settings import Settings

def work():
    import logging
    from enlarger.server.logging_setup import set_up_logging
    set_up_logging(Settings(json_logs=True))
    logging.getLogger("enlarger.jobs.lane").error("unforeseen", extra={"job": "j-1"})
    logging.getLogger("loaded").info(str("fastapi" in sys.modules))
    logging.shutdown()

if __name__ == "__main__":
    process = multiprocessing.get_context("fork").Process(target=work, name="worker-7")
    process.start()
    process.join()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    lines = [json.loads(line) for line in done.stderr.decode().splitlines()]
    assert [(line["event"], line["worker"]) for line in lines] == [("unforeseen", "worker-7"), ("False", "worker-7")]
    assert lines[0]["job"] == "j-1"


def test_lines_for_people() -> None:
    text = logged(as_json=False)
    assert "request=r-1" in text
    assert "Started it" in text
    assert "ZeroDivisionError" in text
    assert "not this one" not in text
