"""Reading as the API shows it: pages, settings, verdicts."""

from __future__ import annotations

from enlarger.messages import Message
from enlarger.reader import PageState, Reader, RuleName, Verdict, as_json
from enlarger.reader import Rule as ReaderRule
from enlarger.server.live_room import Hearer, News
from enlarger.server.v1.reader_wire import (
    CheckView,
    HintView,
    PageStates,
    PageStateView,
    ReaderView,
    RuleNameView,
    TraceView,
    UpscaleReady,
    VerdictView,
)
from enlarger.server.v1.views import told


def reader_view(reader: Reader, language: str) -> ReaderView:
    """The reader's settings and what is open."""
    hint = reader.hint
    return ReaderView.model_validate(
        {
            **as_json(reader.options),
            "openBooks": reader.open_books(),
            "hint": hint and HintView(message=hint.message.text(language), model=hint.model),
        }
    )


def page_states(states: list[PageState], language: str) -> PageStates:
    """Pages as they stand."""
    return PageStates(pages=[page_state(state, language) for state in states])


def page_state(state: PageState, language: str) -> PageStateView:
    """A page as it stands; what is not known is null."""
    return PageStateView.model_validate(_page_fields(state, language))


def upscale_ready(state: PageState, hearer: Hearer) -> News:
    """The event, in our names and in the contract's."""
    file = state.file if hearer.local else None
    view = UpscaleReady.model_validate(
        {
            **_page_fields(state, hearer.language),
            "book_path": state.book_path.as_posix(),
            "page_index": state.page,
            "image_hash": state.image_hash,
            "cache_path": None if file is None else str(file),
            "original_size": _size(state.original_width, state.original_height),
            "upscaled_size": _size(state.width, state.height),
            "model_name": state.model or None,
        }
    )
    return {"type": "upscale-ready", **view.model_dump(mode="json", by_alias=True)}


def verdict_view(verdict: Verdict, language: str) -> VerdictView:
    """What a page would get."""
    return VerdictView(
        outcome="enlarge" if verdict.enlarges else "skip",
        recipe=verdict.recipe,
        rule=verdict.rule and _rule(verdict.rule),
        reason=verdict.reason.text(language),
        trace=[
            TraceView(
                rule=_rule(trace.rule),
                matched=trace.matched,
                checks=[CheckView.model_validate(vars(check)) for check in trace.checks],
                problem=_text(trace.problem, language),
            )
            for trace in verdict.trace
        ],
    )


def _page_fields(state: PageState, language: str) -> dict[str, object]:
    return {
        "book_id": state.book_id,
        "page": state.page,
        "status": state.status,
        "share": round(state.share, 4),
        "url": state.url,
        "width": state.width or None,
        "height": state.height or None,
        "original_width": state.original_width or None,
        "original_height": state.original_height or None,
        "model": state.model or None,
        "scale": state.scale or None,
        "noise": state.noise,
        "seconds": state.seconds,
        "rule": state.rule and _rule(state.rule),
        "reason": _text(state.reason, language),
        "error": told(state.error, language),
        "is_preload": state.is_preload,
    }


def _rule(rule: ReaderRule | RuleName) -> RuleNameView:
    return RuleNameView(id=rule.id, name=rule.name)


def _size(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width and height else None


def _text(message: Message | None, language: str) -> str | None:
    return None if message is None else message.text(language)
