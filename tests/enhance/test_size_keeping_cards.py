"""A person's own card whose only network keeps size: it is what every picture gets, and nothing grows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flat_pictures import SeeingRuntime

from enlarger.cli.devices import default_network
from enlarger.enhance import Enhancer, make_recipe, plan_passes
from enlarger.errors import RecipeError
from enlarger.jobs.weights import Weights
from enlarger.models import Card, Catalog, Graph, Variant, add_model, load_catalog
from enlarger.runtimes import FakeRuntime
from enlarger.settings import Settings
from onnx_files import relu, write
from pages import noise, picture


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Card:
    return add_model(write(tmp_path / "cleaner.onnx", relu()), settings)


@pytest.fixture
def catalog(settings: Settings, own: Card) -> Catalog:
    return load_catalog(settings)


@pytest.fixture
def enhancer(settings: Settings, catalog: Catalog, identity_graph: Path) -> Iterator[Enhancer]:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(identity_graph, f"digest of {variant.name}", variant, None)

    runtimes = {"fake": FakeRuntime()}
    with Enhancer(settings, device="fake", catalog=catalog, runtimes=runtimes, prepare_graph=prepare) as enhancer:
        yield enhancer


def test_its_network_is_the_only_pass(own: Card) -> None:
    assert own.scales == (1,)
    assert plan_passes(own, None, 1) == plan_passes(own, None, 0.3) == own.variants
    with pytest.raises(RecipeError, match="does not enlarge"):
        plan_passes(own, None, 2)


def test_a_recipe_keeps_size_and_refuses_to_enlarge(catalog: Catalog, own: Card) -> None:
    assert make_recipe(catalog, model=own.name).scale == 1
    with pytest.raises(RecipeError) as refused:
        make_recipe(catalog, model=own.name, scale=2)
    assert refused.value.remedy is not None
    assert default_network(catalog, own.name) == own.variants[0]


@pytest.mark.parametrize("wish", [{}, {"scale": 1.0}, {"width": 20}])
def test_a_picture_goes_through_it(enhancer: Enhancer, catalog: Catalog, own: Card, wish: dict[str, int]) -> None:
    recipe = make_recipe(catalog, model=own.name, **wish)  # type: ignore[arg-type]
    page = picture(noise(1, 40, 50), noise(2, 40, 50, 1)[:, :, 0])
    done = enhancer.enlarge(page, recipe)
    assert done.picture.pixels.shape == ((25, 20, 3) if "width" in wish else (50, 40, 3))
    assert [each.variant for each in done.facts.passes] == [own.variants[0].name]


def test_a_page_that_is_smaller_than_its_box_says_why_it_cannot_be_made(
    enhancer: Enhancer, catalog: Catalog, own: Card
) -> None:
    with pytest.raises(RecipeError, match="does not enlarge"):
        enhancer.enlarge(picture(noise(1, 40, 50)), make_recipe(catalog, model=own.name, width=100))


@pytest.mark.parametrize("box", [0, 100])
def test_it_lacks_nothing(settings: Settings, catalog: Catalog, own: Card, box: int) -> None:
    online = settings.model_copy(update={"offline": False})
    assert Weights(online, catalog).lacking(make_recipe(catalog, model=own.name, width=box)) == ()


def test_only_what_the_denoiser_gives_is_blended(
    settings: Settings, catalog: Catalog, own: Card, identity_graph: Path
) -> None:
    def prepare(variant: Variant, settings: Settings) -> Graph:
        return Graph(identity_graph, f"digest of {variant.name}", variant, None)

    recipe = replace(make_recipe(catalog, model=own.name), denoise=0.5, denoise_level=1)
    runtimes = {"fake": SeeingRuntime(0, np.array([[40]]))}  # every pass halves, and adds 40
    with Enhancer(settings, device="fake", catalog=catalog, runtimes=runtimes, prepare_graph=prepare) as enhancer:
        made = enhancer.enlarge(picture(np.full((50, 40, 3), 120, np.uint8)), recipe)
    assert len(made.facts.passes) == 2
    assert (made.picture.pixels == (120 + 100) // 2 // 2 + 40).all()
