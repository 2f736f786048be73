"""Who runs against whom: each card on its pictures, its rows alternating, and the ratios that come of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf

from bench.alternate import Ratio, Row, Timed, alternate, ratio
from bench.course import Course
from bench.peers import TILE_PEERS, TilePeer, tile_rows
from bench.peers.sr_vulkan import sr_vulkan_row
from bench.sizes import Sizes
from bench.subjects import Studio, Subject
from enlarger.enhance import PassFacts, make_recipe
from enlarger.models import load_catalog
from enlarger.runtimes import allowed_cores
from enlarger.settings import Settings

RAW = "raw session"
ROADS = {"whole road to JPEG": "jpeg", "whole road to WebP": "webp"}
JPEG, WEBP = ROADS
MOST_ROUNDS = 3


@dataclass(frozen=True)
class Question:
    """A ratio worth knowing; `asked` is what it should reach, "" where it only informs."""

    faster: str
    slower: str
    asked: str = ""


@dataclass(frozen=True)
class Contest:
    """A card on pictures. `kind` is the row name that --rows knows its road by; `against` are its peers."""

    kind: str
    model: str
    scale: int
    noise: int | None
    pictures: str
    subjects: Sequence[Subject]
    roads: Sequence[str] = (JPEG, WEBP)
    against: Sequence[TilePeer] = ()
    region: Subject | None = None  # for sr_vulkan
    least_of_raw: str = ""
    budget_s: float = 25.0  # for all rounds together; there is always one
    is_extra: bool = False  # shows nothing about this code that another one doesn't: not in a quick run

    @property
    def title(self) -> str:
        """ "waifu2x-cunet 2x noise 1, pages"."""
        noise = "" if self.noise is None else f" noise {self.noise}"
        return f"{self.model} {self.scale}x{noise}, {self.pictures}"

    def questions(self) -> list[Question]:
        """The ratios of this contest."""
        peers = [f"{peer.name} {peer.dtype}" for peer in self.against]
        asked = {"onnxruntime fp32": "≥ 1.8"} if self.region else {}
        return [
            *(Question(road, RAW, self.least_of_raw) for road in self.roads),
            *(Question(RAW, peer, asked.get(peer, "")) for peer in peers),
            *([Question(WEBP, "sr_vulkan", "≥ 4.5")] if self.region else []),
        ]


@dataclass(frozen=True)
class Outcome:
    """A contest's times and ratios; where and on which tiles the road went, and their halo in pixels."""

    contest: Contest
    facts: PassFacts
    halo: int
    timed: tuple[Timed, ...]
    ratios: tuple[tuple[Question, Ratio], ...]


def contests(studio: Studio, sizes: Sizes) -> list[Contest]:
    """All of them; draws the pictures that are not there yet."""
    pages = studio.pages(sizes.pages, sizes.page)
    photograph = [studio.photograph(sizes.photograph)]
    crop = [studio.crop(pages[0], 0, sizes.crop)]
    region = studio.crop(pages[0], 0, sizes.region)
    cunet, video, anime = "waifu2x-cunet", "realesr-animevideov3", "realesrgan-x4plus-anime"
    few = pages[:2]
    found = [
        Contest(
            "road", cunet, 2, 1, "pages", pages, against=TILE_PEERS, region=region, least_of_raw="≥ 0.85", budget_s=215
        ),
        Contest("road", video, 4, None, "pages", pages, against=TILE_PEERS, least_of_raw="≥ 0.75", budget_s=110),
        Contest("road", cunet, 2, 1, "photograph", photograph, [JPEG]),
        Contest("road", video, 4, None, "photograph", photograph, [JPEG], is_extra=True),
        Contest("road", anime, 4, None, "crop", crop, [JPEG], least_of_raw="≥ 0.75"),
        Contest("pace", "waifu2x-upconv7-anime", 2, None, "pages", few, [WEBP], budget_s=0),
        Contest("pace", "realcugan-se", 2, None, "pages", few, [WEBP], budget_s=0, is_extra=True),
        Contest("pace", video, 2, None, "pages", few, [WEBP], budget_s=0, is_extra=True),
    ]
    return [contest for contest in found if sizes.extras or not contest.is_extra]


def hold(
    contest: Contest, settings: Settings, wanted: Collection[str], rounds: int, say: Callable[[str], None]
) -> Outcome:
    """Open everything, warm it up, and let it run in alternating rounds; 0 rounds: what the contest's budget allows."""
    say(contest.title)
    catalog = load_catalog()
    recipe = make_recipe(catalog, model=contest.model, scale=contest.scale, noise=contest.noise)
    with Course(settings, recipe, contest.subjects) as course, ExitStack() as stack:
        rows = _rows(contest, course, wanted, stack)
        timed = alternate(rows, rounds or MOST_ROUNDS, say, budget_s=inf if rounds else contest.budget_s)
        found = ((question, ratio(timed, question.faster, question.slower)) for question in contest.questions())
        ratios = tuple((question, each) for question, each in found if each is not None)
        return Outcome(contest, course.facts, course.graph.variant.halo, timed, ratios)


def is_wanted(contest: Contest, wanted: Collection[str]) -> bool:
    """Whether any of its rows is."""
    peers = {peer.name for peer in contest.against} | ({"sr_vulkan"} if contest.region else set())
    own = {contest.kind} if contest.kind == "pace" else {contest.kind, "raw"}
    return bool((own | peers) & set(wanted))


def _rows(contest: Contest, course: Course, wanted: Collection[str], stack: ExitStack) -> list[Row]:
    rows = [course.road(name, ROADS[name]) for name in contest.roads] if contest.kind in wanted else []
    if "raw" in wanted and contest.kind != "pace":
        rows.append(course.raw(RAW))
    peers = [peer for peer in contest.against if peer.name in wanted]
    rows += tile_rows(peers, course, allowed_cores())
    if contest.region is not None and "sr_vulkan" in wanted:
        variant = course.graph.variant
        rows.append(stack.enter_context(sr_vulkan_row(variant.name, variant.scale, contest.region, allowed_cores())))
    return rows
