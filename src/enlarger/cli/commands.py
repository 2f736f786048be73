"""typer's commands and groups with the words of their help pages in the reader's language."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from enlarger.messages import msg


class Command(TyperCommand):
    """A command whose usage line and --help are translated; `ctx` is typer's Context."""

    def get_usage(self, ctx: Any) -> str:
        """The line that begins with "Usage:"."""
        return _usage(super().get_usage(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The whole page."""
        _fold()
        super().format_help(ctx, formatter)

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """--help, explained."""
        return _explained(super().get_help_option(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Arguments and options, without the names of Python's types."""
        return _plain(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands, likewise."""

    def get_usage(self, ctx: Any) -> str:
        """The line that begins with "Usage:"."""
        return _usage(super().get_usage(ctx))

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The whole page."""
        _fold()
        super().format_help(ctx, formatter)

    def get_help_option(self, ctx: Any) -> TyperOption | None:
        """--help, explained."""
        return _explained(super().get_help_option(ctx))

    def get_params(self, ctx: Any) -> list[Any]:
        """Options, without the names of Python's types."""
        return _plain(super().get_params(ctx))


def _usage(line: str) -> str:
    return line.replace("Usage:", str(msg("Usage:")), 1)


def _fold() -> None:
    from enlarger.cli.folding import fold_help  # with rich, which only a help page needs

    fold_help()


def _explained(option: TyperOption | None) -> TyperOption | None:
    if option is not None:
        option.help = str(msg("Show this help and exit."))
    return option


def _plain(params: list[Any]) -> list[Any]:
    """typer writes `<bool>` beside a flag and `<list[Path]>` beside an argument: nothing to a person."""
    for param in params:
        if isinstance(param, TyperOption) and param.is_flag:
            param.metavar = ""
        elif isinstance(param, TyperArgument):
            param.display_type_rich = lambda ctx: None  # type: ignore[method-assign]  # noqa: ARG005
    return params
