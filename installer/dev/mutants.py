"""`make mutants`: mutation tests of the modules that decide (cosmic-ray's operators, one changed token a mutant).

A mutant is killed when the tests of its module fail. `mutants.toml` lists the modules, the tests of each, and the
reason of every survivor. Exit code 1 when less than 90 % of a module's mutants are killed, or a survivor has no reason.

Each mutant runs in a fork of a process that has imported the libraries already, with the changed source in place of the
module. Nothing on disk changes.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import resource
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from signal import SIGKILL
from time import monotonic, sleep
from types import ModuleType

from installer.say import tell

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "controlplane"
KILLED = 0.90
_CPU_LIMIT_S = 20  # kills a mutant that loops for ever; processor time, so that a busy machine kills none
_MEMORY_LIMIT = 2 << 30  # bytes; kills a mutant that fills a list for ever
_TIMEOUT_S = 600.0  # kills a mutant that waits for ever
# The tests of pure modules need no conftest and no plugins, which take thirty times as long to load as the tests.
_PYTEST = ("-x", "-q", "--no-header", "--tb=no", "--noconftest")
_NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
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
# Options of dataclasses; and the `*` of keyword-only parameters, which the operators take for a multiplication.
_NO_DECISION = ("@dataclass(", "def ", "*, ->")


@dataclass(frozen=True, slots=True)
class Mutant:
    """module: dotted name. source: its changed text. change: `file | line before -> line after`, blanks folded."""

    module: str
    source: str
    change: str


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed source."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        """The changed module; None for all others."""
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._mutant.module else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed source."""
        exec(compile(self._mutant.source, self._mutant.module, "exec"), module.__dict__)  # noqa: S102


def mutants(path: Path, root: Path = SOURCES) -> Iterator[Mutant]:
    """Every mutant of the module in this file. root: the folder that is on the import path."""
    importlib.import_module("parso")  # before cosmic_ray imports parso.tree, which cannot be the first
    mutate_code = importlib.import_module("cosmic_ray.mutating").mutate_code
    source, place = path.read_text(), path.relative_to(root)
    module = ".".join(place.with_suffix("").parts)
    for operator in _operators():
        occurrence = 0
        while (changed := mutate_code(source, operator(), occurrence)) is not None:
            change = _difference(source, changed)
            if not change.startswith(_NO_DECISION):
                yield Mutant(module, changed, f"{place} | {change}")
            occurrence += 1


def _operators() -> Iterator[type]:
    for stem, endings in _OPERATORS.items():
        module, _, name = stem.partition(".")
        for ending in endings:
            yield getattr(importlib.import_module(f"cosmic_ray.operators.{module}"), name + ending)


def _difference(before: str, after: str) -> str:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    old, new = next(((old, new) for old, new in pairs if old != new), ("", ""))
    return f"{' '.join(old.split())} -> {' '.join(new.split())}"


def survives(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Whether all tests pass with this mutant, in a process of its own."""
    child = os.fork()
    if child == 0:
        _run_tests(mutant, tests)
    deadline = monotonic() + _TIMEOUT_S
    while monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        sleep(0.01)
    os.kill(child, SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_tests(mutant: Mutant, tests: Sequence[str]) -> None:
    """In the child, which ends here: with code 0 when all tests pass."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_LIMIT_S, _CPU_LIMIT_S))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
        os.environ.update(_NO_PLUGINS)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, _Changed(mutant))
        code = int(importlib.import_module("pytest").main([*_PYTEST, *tests]))
    finally:
        os._exit(code)


def main(arguments: list[str]) -> int:
    """Run all modules of `mutants.toml`, or those whose paths contain one of the arguments."""
    plan = tomllib.loads((ROOT / "installer" / "dev" / "mutants.toml").read_text())
    os.chdir(ROOT)
    # What every child needs and no mutant changes: imported once, before the forks.
    for library in ("pytest", "msgspec", "boto3", "hypothesis.strategies", "scipy.stats"):
        importlib.import_module(library)
    chosen = {path: tests for path, tests in plan["modules"].items() if any(a in path for a in arguments or ("",))}
    good = [_judge(SOURCES / path, tests, plan["survivors"]) for path, tests in chosen.items()]
    return 0 if all(good) else 1


def _judge(path: Path, tests: Sequence[str], reasons: Mapping[str, str]) -> bool:
    """Whether enough mutants of the module are killed and every survivor has a reason; prints the figures."""
    if not survives(Mutant("", "", ""), tests):
        tell(f"{path.relative_to(SOURCES)}: its tests fail without a mutant")
        return False
    every = list(mutants(path))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda mutant: survives(mutant, tests), every))
    survivors = [mutant.change for mutant, survived in zip(every, outcomes, strict=True) if survived]
    unexplained = [change for change in survivors if change not in reasons]
    killed = len(every) - len(survivors)
    tell(f"{path.relative_to(SOURCES)}: {killed} of {len(every)} killed, {len(unexplained)} survivors without a reason")
    for change in unexplained:
        tell(f"  {change}")

    return killed >= KILLED * len(every) and not unexplained


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
