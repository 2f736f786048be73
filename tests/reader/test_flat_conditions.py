"""Flat conditions, as earlier readers keep them, in and out without loss."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enlarger.errors import BadRuleError
from enlarger.models import load_catalog
from enlarger.reader import Match, Rule, RuleSet, Treatment, as_json, rules_from_json
from enlarger.reader.flat_conditions import flat_of_rules, rules_of_flat

_PIXELS = st.integers(0, 10_000)
_AMOUNTS = st.floats(0, 500, allow_nan=False).map(lambda value: round(value, 3))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_MODELS = st.sampled_from(["waifu2x-cunet", "realcugan-se", "realesr-animevideov3", "nobody-knows-it"])
_MATCHES = st.builds(
    Match,
    min_width=_PIXELS,
    max_width=_PIXELS,
    min_height=_PIXELS,
    max_height=_PIXELS,
    dimensions=st.sampled_from(["and", "or"]),
    min_megapixels=_AMOUNTS,
    max_megapixels=_AMOUNTS,
    min_aspect_ratio=_AMOUNTS,
    max_aspect_ratio=_AMOUNTS,
    file_types=st.lists(st.sampled_from(["jpg", "png"]), max_size=2).map(tuple),
    book_include=_TEXT,
    book_exclude=_TEXT,
    page_include=_TEXT,
    page_exclude=_TEXT,
    inner_path=st.booleans(),
)


@st.composite
def treatments(draw: st.DrawFn) -> Treatment:
    """Those that mean something: a level that the model has, or none."""
    model = draw(_MODELS)
    levels = {
        "waifu2x-cunet": [None, 0, 1, 2, 3],
        "realcugan-se": [None, -1, 1, 2, 3],
        "nobody-knows-it": [None, -1, 2],
    }
    noise = draw(st.sampled_from(levels.get(model, [None])))
    scale = draw(st.sampled_from([2.0, 3.0, 4.0]))
    return Treatment(model, scale, noise, draw(st.sampled_from([0, 64, 400])), draw(st.booleans()))


_RULES = st.builds(
    Rule,
    id=st.uuids().map(str),
    name=_TEXT,
    enabled=st.booleans(),
    priority=st.integers(-9, 9),
    match=_MATCHES,
    skip=st.booleans(),
    recipe=treatments(),
)
_SETS = st.builds(
    RuleSet, enabled=st.booleans(), rules=st.lists(_RULES, max_size=4, unique_by=lambda r: r.id).map(tuple)
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_SETS)
def test_rules_come_back_from_both_forms(rules: RuleSet) -> None:
    assert rules_of_flat(json.loads(json.dumps(flat_of_rules(rules, load_catalog()))), load_catalog()) == rules
    assert rules_from_json(json.loads(json.dumps(as_json(rules)))) == rules


FLAT: dict[str, Any] = {
    "upscaleConditionsEnabled": True,
    "upscaleConditions": [
        {
            "id": "c1",
            "name": "小图",
            "enabled": True,
            "priority": 3,
            "minWidth": 10,
            "minHeight": 20,
            "maxWidth": 800,
            "maxHeight": 1200,
            "minPixels": 0.5,
            "maxPixels": 2.5,
            "regexBookPath": "漫画",
            "regexImagePath": "\\.jpg$",
            "matchInnerPath": True,
            "modelName": "cunet",
            "scale": 2.0,
            "tileSize": 64,
            "tileEnabled": False,
            "noiseLevel": 1,
            "skip": False,
        }
    ],
}


def test_every_original_key_is_read_and_written_unchanged() -> None:
    (rule,) = rules_of_flat(FLAT, load_catalog()).rules
    match = Match(10, 800, 20, 1200, "and", 0.5, 2.5, book_include="漫画", page_include="\\.jpg$", inner_path=True)
    assert rule == Rule("c1", "小图", True, 3, match, False, Treatment("cunet", 2.0, 1, 64, False))
    assert flat_of_rules(rules_of_flat(FLAT, load_catalog()), load_catalog()) == FLAT


@pytest.mark.parametrize(
    ("model", "level", "noise", "written"),
    [
        ("cunet", -1, None, -1),
        ("cunet", 0, 0, 0),
        ("cunet", None, None, -1),
        ("cunet", 3, 3, 3),
        ("realcugan-se", -1, -1, -1),
        ("realcugan-se", None, None, None),
        ("realesrgan-x4plus", -1, None, -1),
        ("MODEL_WAIFU2X_CUNET_UP2X_DENOISE3X", -1, None, -1),
    ],
)
def test_noise_levels_mean_what_the_model_means(model: str, level: Any, noise: Any, written: Any) -> None:
    flat = {"upscaleConditions": [{"id": "a", "modelName": model, "noiseLevel": level}]}
    rules = rules_of_flat(flat, load_catalog())
    assert rules.rules[0].recipe.noise == noise
    assert flat_of_rules(rules, load_catalog())["upscaleConditions"][0]["noiseLevel"] == written


def test_what_is_missing_or_unknown_is_no_error() -> None:
    flat = {"upscaleConditions": [{"id": "a", "somethingNew": 1}, {"id": "a"}, {"regexBookPath": None}], "more": 2}
    rules = rules_of_flat(flat, load_catalog())
    assert [rule.id for rule in rules.rules] == ["a", "a-2", "rule"]
    assert replace(rules.rules[0], id="", name="") == Rule("", "")


@pytest.mark.parametrize(
    ("flat", "field"),
    [
        ({"upscaleConditions": [{"minWidth": -1}]}, "upscaleConditions.0.minWidth"),
        ({"upscaleConditions": [{"scale": 99}]}, "upscaleConditions.0.scale"),
        ({"upscaleConditions": [{"fileTypes": ["jpg"] * 101}]}, "upscaleConditions.0.fileTypes"),
        ({"upscaleConditions": 3}, "upscaleConditions"),
        ([], "JSON"),
    ],
)
def test_what_is_no_condition_is_refused_by_name(flat: Any, field: str) -> None:
    with pytest.raises(BadRuleError) as caught:
        rules_of_flat(flat, load_catalog())
    assert caught.value.text("en").startswith(field)


def test_the_longest_ids_that_are_alike_still_come_back() -> None:
    rules = rules_of_flat({"upscaleConditions": [{"id": "a" * 500}] * 11}, load_catalog())
    assert {len(rule.id) for rule in rules.rules} == {500}
    assert len({rule.id for rule in rules.rules}) == 11
    assert rules_from_json(as_json(rules)) == rules


def test_a_bad_pattern_is_kept_for_its_owner_to_mend() -> None:
    flat = {"upscaleConditions": [{"id": "a", "regexBookPath": "("}]}
    assert rules_of_flat(flat, load_catalog()).rules[0].match.book_include == "("
