"""Python sources as values: modules with their trees, and who imports whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file. name: dotted, from the folder that is on the path; a package goes by its own name."""

    path: Path
    name: str
    text: str

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        return len(self.text.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def functions(self) -> Iterator[Function]:
        """All functions and methods, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def at(self, node: ast.AST) -> str:
        """`chalicelib.api.views:12`"""
        return f"{self.name}:{getattr(node, 'lineno', 0)}"


def modules(root: Path, *packages: str) -> list[Module]:
    """All modules of these packages or single modules under `root`, sorted by path."""
    paths = [path for package in packages for path in _files(root / package)]
    return [Module(path, _name(path.relative_to(root)), path.read_text()) for path in sorted(paths)]


def _files(place: Path) -> list[Path]:
    return list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def _name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(sources: Sequence[Module]) -> dict[str, set[str]]:
    """By module: the modules among `sources` that it imports, anywhere in its text."""
    names = {module.name for module in sources}
    return {module.name: set(_imported(module, names)) - {module.name} for module in sources}


def _imported(module: Module, names: set[str]) -> Iterator[str]:
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            for alias in node.names:
                target = f"{base}.{alias.name}"
                if target in names or base in names:
                    yield target if target in names else base


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def longest_path(graph: Mapping[str, set[str]]) -> list[str]:
    """The longest chain of imports, from the module that nobody needs to the one that needs nobody.

    Raises ValueError naming a cycle.
    """
    longest: dict[str, list[str]] = {}

    def visit(name: str, above: tuple[str, ...]) -> list[str]:
        if name in above:
            raise ValueError(" -> ".join((*above[above.index(name) :], name)))
        if name not in longest:
            paths = [visit(target, (*above, name)) for target in sorted(graph.get(name, ()))]
            longest[name] = [name, *max(paths, key=len, default=[])]
        return longest[name]

    return max((visit(name, ()) for name in sorted(graph)), key=len, default=[])
