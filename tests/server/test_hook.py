"""POST /convert: a page in, a larger one out, and never anything worse than the page itself."""

from __future__ import annotations

import io
from urllib.parse import unquote

import httpx
import pytest
from job_making import until
from loopback import served
from memory_jobs import MemoryJobs
from PIL import Image

from conftest import Service
from enlarger.errors import DiskFullError, QueueFullError
from enlarger.jobs import Failure, JobState, Priority
from enlarger.messages import msg
from enlarger.pictures import encode, read_header
from enlarger.server import hook
from pages import noise, picture

FACADE = hook
PAGE = encode(picture(noise(1, 40, 50, 3)), format="png").data
LARGER = encode(picture(noise(2, 80, 100, 3)), format="webp").data


@pytest.fixture
def submitted(jobs: MemoryJobs) -> list[str]:
    """Ids of jobs as they come; each is done at once."""
    ids: list[str] = []

    def render(job_id: str) -> None:
        ids.append(job_id)
        jobs.render(job_id, "image.webp", LARGER)

    jobs.on_submit = render
    return ids


def convert(client: httpx.Client, query: str = "", data: bytes = PAGE) -> httpx.Response:
    answer = client.post(f"/convert?{query}", files={"image": ("0001.png", data, "image/png")})
    assert answer.status_code == 200
    return answer


def assert_original(answer: httpx.Response, reason: str, data: bytes = PAGE) -> None:
    assert (answer.content, answer.headers["X-Enlarger-Result"]) == (data, "original")
    assert answer.headers["X-Enlarger-Reason"].isascii()
    assert reason in unquote(answer.headers["X-Enlarger-Reason"])


@pytest.mark.usefixtures("submitted")
def test_the_new_page_comes_back_raw(client: httpx.Client) -> None:
    answer = convert(client)
    assert (answer.content, answer.headers["Content-Type"]) == (LARGER, "image/webp")
    assert (answer.headers["X-Enlarger-Result"], answer.headers["X-Enlarger-Cache"]) == ("enlarged", "miss")
    assert "X-Enlarger-Reason" not in answer.headers


@pytest.mark.usefixtures("submitted")
@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", ""])
def test_the_page_may_be_the_whole_body(kind: str, client: httpx.Client) -> None:
    answer = client.post("/convert", content=PAGE, headers={"Content-Type": kind} if kind else {})
    assert answer.content == LARGER


@pytest.mark.usefixtures("submitted")
def test_a_form_with_another_fields_name_is_understood(client: httpx.Client) -> None:
    files = {"page": ("0001.png", PAGE, "image/png")}
    assert client.post("/convert", data={"note": "x"}, files=files).content == LARGER


@pytest.mark.usefixtures("submitted")
def test_the_job_is_forgotten_once_it_is_answered(client: httpx.Client, jobs: MemoryJobs) -> None:
    convert(client)
    until(lambda: not jobs.totals(), "it is not forgotten")
    assert list(jobs.storage.staging.iterdir()) == []


def test_the_job_is_what_the_url_asks_for(client: httpx.Client, jobs: MemoryJobs, submitted: list[str]) -> None:
    seen = []
    render = jobs.on_submit
    jobs.on_submit = lambda job_id: (seen.append(jobs.get(job_id).submission), render(job_id))
    convert(client, "model=realcugan-se&scale=3&noise=conservative&format=webp&quality=70&within=2s")
    (submission,) = seen
    recipe = submission.recipe
    assert (recipe.model, recipe.scale, recipe.noise) == ("realcugan-se", 3.0, -1)
    assert (recipe.format, recipe.quality) == ("webp", 70)
    assert (submission.transient, submission.packs, submission.source.kind) == (True, False, "picture")


@pytest.mark.parametrize(
    ("within", "priority"),
    [
        ("within=2s", Priority.READING),
        ("within=500ms", Priority.READING),
        ("within=10s", Priority.READING),
        ("within=11", Priority.INTERACTIVE),
        ("within=9m", Priority.INTERACTIVE),
        ("", Priority.INTERACTIVE),
    ],
)
def test_who_waits_for_seconds_goes_before_who_waits_for_minutes(
    within: str, priority: Priority, client: httpx.Client, jobs: MemoryJobs, submitted: list[str]
) -> None:
    seen = []
    render = jobs.on_submit
    jobs.on_submit = lambda job_id: (seen.append(jobs.get(job_id).submission.priority), render(job_id))
    convert(client, within)
    assert seen == [priority]


def test_when_the_time_is_up_the_original_goes_out_and_the_render_goes_on(
    client: httpx.Client, jobs: MemoryJobs
) -> None:
    ids: list[str] = []
    jobs.on_submit = ids.append
    assert_original(convert(client, "within=50ms"), "Not finished in time")
    (job_id,) = until(lambda: ids)
    assert not jobs.get(job_id).state.is_final
    jobs.on_submit = lambda job_id: jobs.render(job_id, "image.webp", LARGER, computed=False)
    again = convert(client, "within=1m")
    assert (again.content, again.headers["X-Enlarger-Cache"]) == (LARGER, "hit")


@pytest.mark.parametrize("width", [40, 20])
def test_a_page_that_is_wide_enough_stays_as_it_is(width: int, client: httpx.Client, submitted: list[str]) -> None:
    assert_original(convert(client, f"max_width={width}"), "as wide as max_width")
    assert submitted == []


def test_a_page_on_its_side_is_as_wide_as_it_is_seen(client: httpx.Client, submitted: list[str]) -> None:
    lying, file = Image.Exif(), io.BytesIO()
    lying[0x0112] = 6
    Image.new("RGB", (50, 40)).save(file, "JPEG", exif=lying)
    convert(client, "max_width=45", file.getvalue())
    assert len(submitted) == 1
    assert_original(convert(client, "max_width=40", file.getvalue()), "as wide as max_width", file.getvalue())


@pytest.mark.parametrize(("width", "size"), [(60, (60, 75)), (80, (80, 100)), (1000, (80, 100))])
def test_max_width_caps_the_result(
    width: int, size: tuple[int, int], client: httpx.Client, jobs: MemoryJobs, submitted: list[str]
) -> None:
    sizes = []
    render = jobs.on_submit
    jobs.on_submit = lambda job_id: (
        sizes.append(jobs.get(job_id).submission.recipe.output_size(40, 50)),
        render(job_id),
    )
    convert(client, f"max_width={width}&scale=2")
    assert sizes == [size]


# ---- whatever fails, the page comes back ----


@pytest.mark.usefixtures("submitted")
@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("model=nonsense", "There is no model"),
        ("scale=0.5", "--scale"),
        ("scale=much", "is not a number"),
        ("noise=7", "is not a noise level"),
        ("format=docx", "is not an output format"),
        ("quality=0", "--quality"),
        ("within=tomorrow", "is not a time to wait"),
        ("within=61m", "is not a time to wait"),
        ("max_width=-3", "is not a number"),
    ],
)
def test_a_wrong_option_gives_the_original_back(query: str, reason: str, client: httpx.Client) -> None:
    assert_original(convert(client, query), reason)


def test_what_is_no_picture_comes_back_as_it_was(client: httpx.Client, submitted: list[str]) -> None:
    answer = convert(client, data=b"GIF89a and more")
    assert_original(answer, "GIF", b"GIF89a and more")
    assert answer.headers["Content-Type"] == "image/png"  # what the reader called it
    assert submitted == []


@pytest.mark.parametrize("said", ["text/html", "image/x\x01y", "image/" + "x" * 100])
def test_only_a_pictures_type_is_given_back(said: str, client: httpx.Client) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\nContent-Type: '
    body = head + said.encode() + b"\r\n\r\nnot a picture\r\n--b--\r\n"
    answer = client.post("/convert", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.content, answer.headers["Content-Type"]) == (b"not a picture", "application/octet-stream")


@pytest.mark.parametrize("listed", [False, True])
def test_a_page_whose_job_fails_comes_back(listed: bool, client: httpx.Client, jobs: MemoryJobs) -> None:
    jobs.on_submit = lambda job_id: jobs.fail(job_id, Failure("x", msg("The “model” broke.")), listed=listed)
    answer = convert(client)
    assert_original(answer, "The “model” broke.")
    assert answer.headers["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (QueueFullError(msg("Too much waits.")), "Too much waits."),
        (DiskFullError(msg("The disk is full.")), "The disk is full."),
        (RuntimeError("a bug of ours"), "internal error"),
    ],
)
def test_a_job_that_cannot_be_submitted_gives_the_original_back(
    error: Exception, reason: str, client: httpx.Client, jobs: MemoryJobs
) -> None:
    jobs.refuses = error
    assert_original(convert(client), reason)
    if not isinstance(error, RuntimeError):
        assert list(jobs.storage.staging.iterdir()) == []


def test_an_output_that_disappeared_gives_the_original_back(client: httpx.Client, jobs: MemoryJobs) -> None:
    jobs.on_submit = lambda job_id: jobs.render(job_id, "image.webp", None)
    assert_original(convert(client), "internal error")


def test_a_reason_in_chinese_is_percent_encoded(client: httpx.Client, jobs: MemoryJobs) -> None:
    jobs.refuses = QueueFullError(msg("等待的任务太多。"))
    assert_original(convert(client), "等待的任务太多。")


def test_where_there_is_no_picture_there_is_nothing_to_give_back(client: httpx.Client) -> None:
    assert client.post("/convert").status_code == 400
    assert client.post("/convert", files={"image": (None, "text")}).status_code == 400
    broken = client.post("/convert", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert broken.status_code == 400


def test_a_picture_beyond_the_limit_is_refused(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.server.hook.original.MAX_BYTES", 1000)
    answer = client.post("/convert", files={"image": ("0001.png", PAGE, "image/png")})
    assert answer.status_code == 413


def test_a_job_that_waits_for_room_on_the_disk_gives_the_original_at_once(
    client: httpx.Client, jobs: MemoryJobs
) -> None:
    full = Failure("disk_full", msg("The disk is full."))
    jobs.on_submit = lambda job_id: jobs.move(job_id, JobState.PAUSED, "paused", reason=full)
    assert_original(convert(client, "within=20m"), "The disk is full.")


@pytest.mark.usefixtures("submitted")
def test_all_originals_together_are_bounded(jobs: MemoryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enlarger.server.hook.app._MOST_ORIGINALS_BYTES", len(PAGE) + 100)
    with served(jobs, hook.build) as url, httpx.Client(base_url=url) as client:
        answers = [client.post("/convert", content=data) for data in (PAGE, PAGE, PAGE + b" " * 101, PAGE)]
    assert [answer.status_code for answer in answers] == [200, 200, 503, 200]
    assert int(answers[2].headers["Retry-After"]) > 0


# ---- over the whole server ----


def test_a_page_is_rendered_once_and_found_in_the_cache_afterwards(service: Service) -> None:
    data = encode(picture(noise(77, 44, 40, 3)), format="png").data
    first = convert(service.http, "format=png&within=1m", data)
    assert (first.headers["X-Enlarger-Result"], first.headers["X-Enlarger-Cache"]) == ("enlarged", "miss")
    header = read_header(first.content, name="page")
    assert (header.format, header.width, header.height) == ("png", 88, 80)
    second = convert(service.http, "format=png&within=1m", data)
    assert (second.content, second.headers["X-Enlarger-Cache"]) == (first.content, "hit")


def test_what_was_too_late_is_there_the_next_time(service: Service) -> None:
    data = encode(picture(noise(78, 44, 40, 3)), format="png").data
    assert_original(convert(service.http, "within=0s", data), "Not finished in time", data)
    later = convert(service.http, "within=1m", data)
    assert later.headers["X-Enlarger-Result"] == "enlarged"
    assert read_header(later.content, name="page").width == 88
