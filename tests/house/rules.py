"""What holds for all modules: sizes, names, annotations, docstrings, imports. Each rule answers its offenders."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from tests.house.source import Function, Module, imports, longest_path

MODULE_LINES = 300
FOLDER_MODULES = 16
IMPORT_DEPTH = 10
MEDIAN_LINES = 6
P90_LINES = 18
ANY_PER_THOUSAND = 8
# Riddles where a noun should stand.
FORBIDDEN = frozenset({"told", "found", "one", "made", "asked", "seen", "known"})
_LOOKED_UP = ("results", "cursor")


def too_long(sources: Sequence[Module]) -> list[str]:
    """Modules of more than 300 lines."""
    return [f"{module.name}: {module.lines} lines" for module in sources if module.lines > MODULE_LINES]


def too_many(sources: Sequence[Module], exempt: Sequence[str] = ()) -> list[str]:
    """Folders of more than 16 modules, `__init__` not counted. exempt: names of folders that may have more."""
    folders = Counter(module.path.parent for module in sources if not module.is_package)
    return [
        f"{folder}: {count} modules"
        for folder, count in sorted(folders.items())
        if count > FOLDER_MODULES and folder.name not in exempt
    ]


def too_deep(sources: Sequence[Module]) -> list[str]:
    """The longest chain of imports when it has more than ten modules, or a cycle."""
    try:
        path = longest_path(imports(sources))
    except ValueError as cycle:
        return [f"cycle: {cycle}"]
    return [f"{len(path)} deep: {' -> '.join(path)}"] if len(path) > IMPORT_DEPTH else []


def looked_up_by_text(sources: Sequence[Module]) -> list[str]:
    """`results["…"]`, `cursor["…"]`, and `.get("…")` of either: evidence and cursors are typed."""
    return [module.at(node) for module in sources for node in ast.walk(module.tree) if _is_look_up(node)]


def _is_look_up(node: ast.AST) -> bool:
    if isinstance(node, ast.Subscript):
        return _name_of(node.value) in _LOOKED_UP and _is_text(node.slice)
    is_get = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
    if not is_get or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    return _name_of(node.func.value) in _LOOKED_UP and bool(node.args) and _is_text(node.args[0])


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def riddling(sources: Sequence[Module]) -> list[str]:
    """Variables, parameters, attributes and functions whose names are on the list of riddles."""
    return [f"{module.at(node)} {name}" for module in sources for node, name in _named(module) if name in FORBIDDEN]


def _named(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every name that the module gives, without underscores. Fields of dataclasses are keys of records: not these."""
    fields = {id(statement.target) for statement in _field_statements(module)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.arg):
            yield node, node.arg.strip("_")
        elif isinstance(node, Function | ast.ClassDef):
            yield node, node.name.strip("_")
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store) and id(node) not in fields:
            yield node, _name_of(node).strip("_")


def _field_statements(module: Module) -> Iterator[ast.AnnAssign]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            yield from (statement for statement in node.body if isinstance(statement, ast.AnnAssign))


def undocumented(sources: Sequence[Module]) -> list[str]:
    """Public functions without a docstring."""
    return [
        f"{module.at(function)} {function.name}"
        for module in sources
        for function in _public(module)
        if not ast.get_docstring(function)
    ]


def unannounced(sources: Sequence[Module]) -> list[str]:
    """Public functions that raise an error which their docstring does not mention."""
    return [
        f"{module.at(function)} {function.name}"
        for module in sources
        for function in _public(module)
        if "aise" not in (ast.get_docstring(function) or "") and any(map(_raises, ast.walk(function)))
    ]


def _raises(node: ast.AST) -> bool:
    return isinstance(node, ast.Raise) and node.exc is not None


def _public(module: Module) -> Iterator[Function]:
    """Functions of the module, and methods of its public classes."""
    classes = [node for node in module.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    bodies = [module.tree.body, *(place.body for place in classes)]
    for body in bodies:
        yield from (node for node in body if isinstance(node, Function) and not node.name.startswith("_"))


def unannotated(sources: Sequence[Module]) -> list[str]:
    """Functions with a parameter or an answer without a type."""
    return [
        f"{module.at(function)} {function.name}"
        for module in sources
        for function in module.functions
        if not function.returns or any(not _is_annotated(argument) for argument in _arguments(function))
    ]


def _arguments(function: Function) -> list[ast.arg]:
    arguments = function.args
    stars = [star for star in (arguments.vararg, arguments.kwarg) if star]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *stars]


def _is_annotated(argument: ast.arg) -> bool:
    return argument.annotation is not None or argument.arg in ("self", "cls")


def function_lengths(sources: Sequence[Module]) -> list[int]:
    """Lines of each function, from `def` to its end, without its docstring."""
    return [_length(function) for module in sources for function in module.functions]


def _length(function: Function) -> int:
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and ast.get_docstring(function, clean=False) is not None
    documented = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documented


def long_functions(sources: Sequence[Module]) -> list[str]:
    """Median and 90th percentile of the functions' lengths when they are above 6 and 18 lines."""
    lengths = function_lengths(sources)
    figures = {"median": (median(lengths), MEDIAN_LINES), "p90": (quantiles(lengths, n=10)[-1], P90_LINES)}
    return [f"{name} {figure} lines" for name, (figure, limit) in figures.items() if figure > limit]


def untyped(sources: Sequence[Module]) -> list[str]:
    """The modules with most `Any` when there are more than eight in a thousand lines."""
    counts = {module.name: sum(_is_any(node) for node in ast.walk(module.tree)) for module in sources}
    lines = sum(module.lines for module in sources)
    total = sum(counts.values())
    if total * 1_000 <= ANY_PER_THOUSAND * lines:
        return []
    worst = sorted(counts.items(), key=lambda item: -item[1])[:10]
    return [f"{total} Any in {lines} lines", *(f"{name}: {count}" for name, count in worst)]


def _is_any(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "Any"
