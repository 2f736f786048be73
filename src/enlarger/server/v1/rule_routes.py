"""Rules: which pages are enlarged and how, written, read and tried."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Response
from fastapi.responses import JSONResponse

from enlarger.reader import PageFacts, RuleSet, presets, revision_of
from enlarger.server.ranges import named_tags
from enlarger.server.threads import in_book_thread, in_thread
from enlarger.server.v1.reader_views import verdict_view
from enlarger.server.v1.reader_wire import Conditions, Presets, PresetView, TestRequest, VerdictView
from enlarger.server.v1.service import Language, Service, Serving

router = APIRouter(prefix="/v1/reader", tags=["rules"])

_RULES = {
    "enabled": True,
    "rules": [
        {"id": "large-pages", "name": "Large pages", "match": {"minWidth": 2000, "minHeight": 2000}, "skip": True}
    ],
}


_REVISION: dict[int | str, dict[str, Any]] = {
    200: {"headers": {"ETag": {"schema": {"type": "string"}, "description": "Of these rules, for If-Match."}}}
}
IfMatch = Annotated[
    str,
    Header(
        max_length=4096,
        description="The ETag of the rules that were edited: refused with 412 when they are others by now.",
    ),
]


@router.get("/rules", responses=_REVISION)
async def rules(service: Serving, response: Response) -> RuleSet:
    """The rules in force, and whether they are asked at all."""
    found = service.reader.rules
    response.headers["ETag"] = _tag(found)
    return found


@router.put("/rules", responses=_REVISION)
async def set_rules(
    service: Serving, response: Response, body: Annotated[RuleSet, Body(examples=[_RULES])], if_match: IfMatch = ""
) -> RuleSet:
    """Other rules, kept on the disk; pages that get something else now are made anew.

    A rule that cannot be used, such as one with a bad pattern, is refused by its name.
    """
    changed = await in_thread(service.reader.set_rules, body, over=named_tags(if_match))
    response.headers["ETag"] = _tag(changed)
    return changed


@router.get("/conditions", response_model=Conditions, responses=_REVISION)
async def conditions(service: Serving) -> JSONResponse:
    """The rules in the flat form of earlier readers."""
    return await in_thread(_flat, service, service.reader.rules)


@router.put("/conditions", response_model=Conditions, responses=_REVISION)
async def set_conditions(service: Serving, body: Conditions, if_match: IfMatch = "") -> JSONResponse:
    """Rules in the flat form. One with a bad pattern is kept, matches nothing, and says so when it is tried."""

    def changed() -> JSONResponse:
        flat = body.model_dump(by_alias=True)
        return _flat(service, service.reader.set_conditions(flat, over=named_tags(if_match)))

    return await in_thread(changed)


@router.get("/presets")
async def find_presets(language: Language) -> Presets:
    """Rules to begin with."""
    return Presets(
        presets=[
            PresetView(title=each.title.text(language), description=each.description.text(language), rule=each.rule)
            for each in presets()
        ]
    )


@router.post("/rules/test")
async def test(service: Serving, language: Language, body: TestRequest) -> VerdictView:
    """What a page would get, and why: under the rules in force, or under those given."""
    return await in_book_thread(lambda: verdict_view(_judged(service, body), language))


def _tag(rules: RuleSet) -> str:
    return f'"{revision_of(rules)}"'


def _flat(service: Service, rules: RuleSet) -> JSONResponse:
    return JSONResponse(service.reader.conditions(rules), headers={"ETag": _tag(rules)})


def _judged(service: Service, body: TestRequest) -> Any:
    rules = service.reader.rules
    if body.rules is not None:
        rules = RuleSet(enabled=True, rules=tuple(body.rules)).with_own_ids()
    if body.enabled is not None:
        rules = replace(rules, enabled=body.enabled)
    facts = None if body.facts is None else PageFacts(**body.facts.model_dump())
    return service.reader.test(book_id=body.book_id, page=body.page, facts=facts, rules=rules)
