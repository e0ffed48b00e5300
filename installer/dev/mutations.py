"""The changes that make a mutant: one token each. cosmic-ray's operators, and those that it lacks.

cosmic-ray moves a number by 1, which a test of any kind notices where the number is 0.2. A threshold that is off by a
tenth must be noticed as well. It knows neither `in`, nor the conditions of comprehensions, nor `min` and `max`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parso.tree import Leaf

# Boundaries, negations and arithmetic; all others of cosmic-ray's change annotations, or much more than one of these.
_OPERATORS: Mapping[str, Sequence[str]] = {
    "comparison_operator_replacement.ReplaceComparisonOperator": (
        "_Lt_LtE", "_LtE_Lt", "_Gt_GtE", "_GtE_Gt", "_Lt_GtE", "_LtE_Gt", "_Gt_LtE", "_GtE_Lt",
        "_Eq_NotEq", "_NotEq_Eq", "_Is_IsNot", "_IsNot_Is",
    ),
    "binary_operator_replacement.ReplaceBinaryOperator": (
        "_Add_Sub", "_Sub_Add", "_Mul_Div", "_Div_Mul", "_FloorDiv_Div", "_Mod_Mul",
    ),
    "boolean_replacer.": ("ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "AddNot"),
    "boolean_replacer.Replace": ("AndWithOr", "OrWithAnd"),
    "unary_operator_replacement.ReplaceUnaryOperator": ("_Delete_Not", "_USub_UAdd"),
    "number_replacer.": ("NumberReplacer",),
    "break_continue.Replace": ("ContinueWithBreak", "BreakWithContinue"),
}  # fmt: skip
_FACTORS = (1.1, 0.9)
_OPPOSITES = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}


def changed(source: str) -> Iterator[str]:
    """The source once for each change."""
    importlib.import_module("parso")  # before cosmic_ray imports parso.tree, which cannot be the first
    mutate_code = importlib.import_module("cosmic_ray.mutating").mutate_code
    for operator in _operators():
        occurrence = 0
        while (text := mutate_code(source, operator(), occurrence)) is not None:
            yield text
            occurrence += 1
    yield from _own(source)


def _operators() -> Iterator[type]:
    for stem, endings in _OPERATORS.items():
        module, _, name = stem.partition(".")
        for ending in endings:
            yield getattr(importlib.import_module(f"cosmic_ray.operators.{module}"), name + ending)


def _own(source: str) -> Iterator[str]:
    """Decimal numbers a tenth more and less, opposites, `in` and `not in`, and the conditions of comprehensions."""
    lines = source.splitlines(keepends=True)
    leaf = importlib.import_module("parso").parse(source).get_first_leaf()
    while leaf is not None:
        for text in _replacements(leaf):
            line, column = leaf.start_pos
            old = lines[line - 1]
            new = old[:column] + text + old[column + len(leaf.value) :]
            yield "".join([*lines[: line - 1], new, *lines[line:]])
        leaf = _next(leaf)


def _replacements(leaf: Leaf) -> list[str]:
    following, parent = _next(leaf), leaf.parent.type if leaf.parent else ""
    if leaf.type == "number" and not leaf.value.replace("_", "").isdigit():
        return [f"{float(leaf.value) * factor:.12g}" for factor in _FACTORS if float(leaf.value)]
    if leaf.type == "name" and leaf.value in _OPPOSITES and following is not None and following.value == "(":
        return [_OPPOSITES[leaf.value]]
    if leaf.value == "in" and parent == "comparison":
        return ["not in"]
    if leaf.value == "not" and parent == "comp_op":
        return [""]
    return ["if not"] if leaf.value == "if" and parent in ("comp_if", "sync_comp_for") else []


def _next(leaf: Leaf) -> Leaf | None:
    following: Leaf | None = leaf.get_next_leaf()  # type: ignore[no-untyped-call]
    return following
