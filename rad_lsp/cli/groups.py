"""Groups of commands: a wrong name gets a suggestion, and a module is loaded when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class OutputClosed(Exception):
    """The program that reads our output, such as `head`, has closed it: no failure."""


class Group(click.Group):
    """Commands of which `modules` tells the modules, and others.

    It raises OutputClosed when the output is closed, where click would exit with 1.
    """

    def __init__(self, *args: Any, modules: Mapping[str, str] | None = None, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._modules = modules or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted([*super().list_commands(ctx), *self._modules])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._modules:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"rad_lsp.cli.{self._modules[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is asked for. Raises UsageError, with a suggestion."""
        name = args[0]
        if self.get_command(ctx, name) is None and name.isprintable() and not name.startswith("-"):
            raise click.UsageError(f"No such command {name!r}. {self._advice(ctx, name)}", ctx)
        return super().resolve_command(ctx, args)

    def _advice(self, ctx: click.Context, name: str) -> str:
        """The commands whose names are near to one that is none, in other groups as well."""
        import difflib

        own = self.list_commands(ctx)
        paths = {command: f"{ctx.command_path} {command}" for command in own}
        for group, path in self._others(ctx):
            for command in group.list_commands(ctx):
                paths.setdefault(command, f"{path} {command}")
        near = [name] if name in paths else difflib.get_close_matches(name, paths)
        if near:
            return f"Did you mean {' or '.join(repr(paths[command]) for command in near)}?"
        return f"Known are: {', '.join(own)}."

    def _others(self, ctx: click.Context) -> list[tuple[Group, str]]:
        """The groups above and directly below this one that are loaded, with their paths."""
        found = [
            (group, f"{ctx.command_path} {name}")
            for name, group in self.commands.items()
            if isinstance(group, Group)
        ]
        if ctx.parent and isinstance(ctx.parent.command, Group):
            found.append((ctx.parent.command, ctx.parent.command_path))
        return found

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """What click makes of the arguments."""
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            raise OutputClosed from None

    def invoke(self, ctx: click.Context) -> Any:
        """What the command returns."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise OutputClosed from None
