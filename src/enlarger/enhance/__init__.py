"""Enhancing: one picture in, one picture out; a book in, a book out; and the cache between them."""

from enlarger.enhance.api import Upscaled, release, upscale
from enlarger.enhance.cache import CacheStats, Render, RenderCache, place
from enlarger.enhance.enhancer import Enhancer, Enlarged
from enlarger.enhance.errand_runner import ErrandRunner
from enlarger.enhance.errands import Errand, plan_errands
from enlarger.enhance.facts import Facts, PassFacts, notes_in
from enlarger.enhance.outcomes import Listener, PageOutcome, Report
from enlarger.enhance.passes import plan_passes
from enlarger.enhance.recipe import DEFAULT_MODEL, FORMATS, Recipe, make_recipe
from enlarger.enhance.rendering import Prepared, Rendering, Source, no_memory_for
from enlarger.enhance.road import PageResult, Road
from enlarger.enhance.tiles import TilePlan, TileRule, plan_tiles
from enlarger.enhance.upkeep import beside_renders, sweep_beside_renders

__all__ = [
    "DEFAULT_MODEL",
    "FORMATS",
    "CacheStats",
    "Enhancer",
    "Enlarged",
    "Errand",
    "ErrandRunner",
    "Facts",
    "Listener",
    "PageOutcome",
    "PageResult",
    "PassFacts",
    "Prepared",
    "Recipe",
    "Render",
    "RenderCache",
    "Rendering",
    "Report",
    "Road",
    "Source",
    "TilePlan",
    "TileRule",
    "Upscaled",
    "beside_renders",
    "make_recipe",
    "no_memory_for",
    "notes_in",
    "place",
    "plan_errands",
    "plan_passes",
    "plan_tiles",
    "release",
    "sweep_beside_renders",
    "upscale",
]
