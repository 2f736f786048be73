"""Options: what they mean as a recipe, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from enlarger.errors import BadRuleError, InputError
from enlarger.models import load_catalog
from enlarger.reader import LookAhead, ReaderOptions, Treatment, as_json, presets, rules_from_json
from enlarger.reader.json_forms import changed_options, options_from_json
from enlarger.reader.requests import Preload, PreloadPage, Request, Wished, book_of, page_name


def recipe(treatment: Treatment, **options: Any) -> Any:
    return ReaderOptions(**options).recipe(treatment, load_catalog())


def test_without_rules_a_page_gets_cunet_at_2x_as_webp() -> None:
    found = recipe(ReaderOptions().treatment)
    assert (found.model, found.scale, found.noise) == ("waifu2x-cunet", 2.0, None)
    assert (found.format, found.quality, found.lossless, found.tile_px) == ("webp", 90, False, 0)


def test_every_part_of_a_treatment_is_obeyed() -> None:
    found = recipe(Treatment("realcugan-se", 3.0, 3, 64), quality=70, lossless=True)
    assert (found.model, found.scale, found.noise, found.tile_px) == ("realcugan-se", 3.0, 3, 64)
    assert (found.quality, found.lossless) == (70, True)
    assert recipe(Treatment(tile_size=64, tile_enabled=False)).tile_px == 0


def test_names_of_all_kinds_are_taken() -> None:
    assert recipe(Treatment("0")).model == "waifu2x-cunet"
    assert recipe(Treatment("models-cunet")).model == "waifu2x-cunet"
    named = recipe(Treatment("MODEL_REALCUGAN_SE_UP4X_DENOISE3X", 2.0, 0))  # the name says scale and noise itself
    assert (named.model, named.scale, named.noise) == ("realcugan-se", 4.0, 3)
    assert recipe(Treatment("cunet", noise=-1)).noise is None
    assert recipe(Treatment("realcugan-se", noise=-1)).noise == -1


def test_options_change_one_by_one() -> None:
    options = changed_options(ReaderOptions(), {"tileSize": 64, "lookAhead": {"forward": 5}})
    assert options == ReaderOptions(tile_size=64, look_ahead=LookAhead(5, 3))
    assert changed_options(options, {"tile_size": 0, "enabled": False}).enabled is False
    assert options_from_json(as_json(options)) == options
    assert list(as_json(options)) == [
        "enabled",
        "model",
        "scale",
        "noise",
        "tileSize",
        "quality",
        "lossless",
        "lookAhead",
    ]


@pytest.mark.parametrize("change", [{"quality": 0}, {"scale": float("nan")}, {"lookAhead": {"forward": -1}}, {"x": 1}])
def test_what_is_out_of_range_is_refused_by_name(change: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        changed_options(ReaderOptions(), change)
    assert caught.value.text("en").startswith(next(iter(change)))


def test_rules_with_unknown_fields_are_refused() -> None:
    with pytest.raises(BadRuleError, match=r"rules\.0\.match\.minwidth"):
        rules_from_json({"rules": [{"id": "a", "name": "A", "match": {"minwidth": 3}}]})


def test_presets_can_be_used_as_they_are() -> None:
    rules = [preset.rule for preset in presets()]
    assert len({rule.id for rule in rules}) == len(rules)
    assert rules_from_json({"enabled": True, "rules": [as_json(rule) for rule in rules]}).rules == tuple(rules)
    for rule in rules:
        assert rule.skip or recipe(rule.recipe)


def test_paths_of_pages_and_books() -> None:
    assert str(book_of("", "/m/a.cbz inner=x/1.jpg")).replace("\\", "/").endswith("/m/a.cbz")
    assert str(book_of("", "/m/a/1.jpg")).replace("\\", "/").endswith("/m/a")
    assert page_name(book_of("/m/a.cbz", ""), "/m/a.cbz inner=x\\1.jpg") == "x/1.jpg"
    assert page_name(book_of("/m/a", ""), "/m/a/x/1.jpg") == "x/1.jpg"
    assert page_name(book_of("/m/a", ""), "/elsewhere/1.jpg") == ""


def test_a_request_without_a_model_leaves_it_to_the_rules() -> None:
    assert Wished(scale=4.0, noise=3).treatment is None
    assert Wished("photo", noise=1, tile_size=64).treatment == Treatment("photo", 2.0, 1, 64)


def test_a_range_is_asked_for_nearest_first() -> None:
    asked = Preload("/b", 5, [PreloadPage(n) for n in (3, 4, 6, 7, 5)]).requests()
    assert [request.page_index for request in asked] == [5, 4, 6, 3, 7]
    assert [request.priority for request in asked] == ["forward", "backward", "forward", "backward", "forward"]
    assert Request("/b", 1).lane.name == "CURRENT"
