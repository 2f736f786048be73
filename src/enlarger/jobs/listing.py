"""The pages of a job's source: their names in reading order, and what each is called in the output."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from enlarger.books import OutputNames, escape_error, is_page_name, natural_key, open_book, safe_name
from enlarger.enhance import Recipe
from enlarger.errors import PictureError
from enlarger.jobs.failure import Failure
from enlarger.jobs.job import JobSource, NewPage, Submission
from enlarger.messages import msg
from enlarger.pictures import FORMATS, OUTPUT_SUFFIXES, SUFFIXES
from enlarger.settings import Settings

_SUFFIXES = OUTPUT_SUFFIXES


def list_pages(submission: Submission, settings: Settings | None = None) -> list[NewPage]:
    """Every page that is asked for, never two to one output name on any system's disk.

    A flat source keeps `<stem>.<suffix>`, a nested one its folders; where two would meet, each keeps its own suffix
    (`a.png.jpg`). Members that the book refuses are pages that failed already, with its reason. `settings` as
    `open_book` takes them. Raises BookError or PictureError when nothing in the source can be read.
    """
    source, recipe = submission.source, submission.recipe
    if source.kind == "picture":
        return [_picture(source.path, recipe)]
    return named_pages(submission) or _book(source, recipe, settings)


def named_pages(submission: Submission) -> list[NewPage]:
    """The pages of a book that are asked for by name, if any are; the book is not looked at.

    A name that leads out of it is a page that failed already.
    """
    wanted = set(submission.only if submission.source.kind != "picture" else ())
    safe = {name for name in wanted if safe_name(name) == name}
    refused = {name: Failure.of(escape_error(submission.source.path, name)) for name in wanted - safe}
    return _pages(safe, refused, submission.recipe)


def _picture(path: Path, recipe: Recipe) -> NewPage:
    if not path.is_file():
        raise PictureError(
            msg("{path}: there is no such file.", path=path),
            msg("Check that the file is there and that you may read it."),
        )
    return NewPage(path.name, _targets(path.name, OutputNames.plan([path.name], _SUFFIXES), recipe))


def _book(source: JobSource, recipe: Recipe, settings: Settings | None) -> list[NewPage]:
    with open_book(source.path, settings=settings, recursive=source.is_recursive) as book:
        names = [page.name for page in book.pages]
        refused = {problem.name: Failure.of(problem.error) for problem in book.problems if is_page_name(problem.name)}
    return _pages(names, refused, recipe)


def _pages(names: Collection[str], refused: Mapping[str, Failure], recipe: Recipe) -> list[NewPage]:
    plan = OutputNames.plan(names, _SUFFIXES)
    pages = {name: NewPage(name, {}, failure) for name, failure in refused.items()}
    pages |= {name: NewPage(name, _targets(name, plan, recipe)) for name in names}
    return [pages[name] for name in sorted(pages, key=natural_key)]


def _targets(name: str, plan: OutputNames, recipe: Recipe) -> Mapping[str, str]:
    """By the suffix that a render has, the page's output name.

    Where the recipe keeps the picture's own format, its own spelling stays (".jpeg", ".TIFF"); an asked-for format
    has one spelling for all pages.
    """
    targets = {suffix: plan.name(name, suffix) for suffix in _SUFFIXES}
    if recipe.format != "same":
        return {suffix: str(PurePosixPath(target).with_suffix(suffix)) for suffix, target in targets.items()}
    own = PurePosixPath(name).suffix
    if known := SUFFIXES.get(own.lower()):
        targets[FORMATS[known].suffix] = plan.name(name, own)
    return targets
