"""`make mutants`: mutation tests of the modules that decide (cosmic-ray's operators, one changed token a mutant).

A mutant is killed when the tests of its module fail. `mutants.toml` lists the modules, the tests of each, and the
reason of every survivor. Exit code 1 when less than 90 % of a module's mutants are killed, or a survivor has no reason.

Each mutant runs in a fork of a process that has imported the libraries already, with the changed source in place of the
module. Nothing on disk changes.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.util
import os
import resource
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.machinery import ModuleSpec
from math import ceil
from multiprocessing import get_context
from pathlib import Path
from signal import SIGKILL
from time import monotonic, sleep
from types import ModuleType

from installer.dev.mutations import changed
from installer.say import tell

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "controlplane"
KILLED = 0.90
# Kills a mutant that loops for ever; processor time, so that a busy machine kills none.
_LEAST_CPU_S, _CPU_FACTOR, _MOST_CPU_S = 20, 5, 300
_MEMORY_LIMIT = 2 << 30  # bytes; kills a mutant that fills a list for ever
_TIMEOUT_S = 600.0  # kills a mutant that waits for ever
# The tests of pure modules need no conftest and no plugins, which take thirty times as long to load as the tests.
_PYTEST = ("-x", "-q", "--no-header", "--tb=no", "--noconftest")
_SHARED = (
    "pytest", "msgspec", "boto3", "hypothesis.strategies", "scipy.stats",
    "chalicelib.domain.codec", "chalicelib.domain.options", "chalicelib.domain.model",
)  # fmt: skip
_NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


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
    source, place = path.read_text(), path.relative_to(root)
    module = ".".join(place.with_suffix("").parts)
    for text in changed(source):
        old, new = _difference(source, text)
        if _decides(old, new) and _compiles(text):
            yield Mutant(module, text, f"{place} | {old} -> {new}")


def _difference(before: str, after: str) -> tuple[str, str]:
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    old, new = next(((old, new) for old, new in pairs if old != new), ("", ""))
    return " ".join(old.split()), " ".join(new.split())


def _decides(old: str, new: str) -> bool:
    """Not so: options of dataclasses, and the `*` of keyword-only parameters, which is no multiplication."""
    old, new = ("".join(line.split()) for line in (old, new))
    return not old.startswith("@dataclass(") and old.replace("*,", "/,") != new


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def survives(mutant: Mutant, tests: Sequence[str], cpu_s: int = _LEAST_CPU_S) -> bool:
    """Whether all tests pass with this mutant, in a process of its own. cpu_s: seconds of processor time at most."""
    child = os.fork()
    if child == 0:
        _run_tests(mutant, tests, cpu_s)
    deadline = monotonic() + _TIMEOUT_S
    while monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        sleep(0.01)
    os.kill(child, SIGKILL)
    os.waitpid(child, 0)
    return False


def _run_tests(mutant: Mutant, tests: Sequence[str], cpu_s: int) -> None:
    """In the child, which ends here: with code 0 when all tests pass."""
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_LIMIT, _MEMORY_LIMIT))
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
    _import_once(plan["modules"])
    chosen = {path: tests for path, tests in plan["modules"].items() if any(a in path for a in arguments or ("",))}
    with ProcessPoolExecutor(os.cpu_count(), get_context("fork")) as pool:
        results = [_judge(pool, SOURCES / path, tests, plan["survivors"]) for path, tests in chosen.items()]
    killed, count = (sum(getattr(result, name) for result in results) for name in ("killed", "count"))
    tell(f"{len(results)} modules: {killed} of {count} killed ({killed / max(count, 1) * 100:.1f} %)")
    return 0 if all(result.is_good for result in results) else 1


def _import_once(paths: Iterable[str]) -> None:
    """Before the forks: what every child needs and no mutant changes. paths: of the modules that mutants change."""
    for place in (str(ROOT), str(SOURCES)):
        sys.path.insert(0, place)
    os.environ.update(_NO_PLUGINS)
    for library in _SHARED:
        importlib.import_module(library)
    settings = importlib.import_module("hypothesis").settings
    # The same examples for each mutant, however busy the machine is.
    settings.register_profile("mutants", deadline=None, derandomize=True, database=None)
    settings.load_profile("mutants")
    importlib.import_module("_pytest.config").get_config()  # imports pytest's own plugins
    if loaded := [path for path in paths if path.removesuffix(".py").replace("/", ".") in sys.modules]:
        raise RuntimeError(f"no mutant of {loaded[0]} would be tested: one of {', '.join(_SHARED)} imports it")
    gc.freeze()  # a child's garbage collection then touches none of it


@dataclass(frozen=True, slots=True)
class _Result:
    """is_good: enough mutants are killed, and every survivor has a reason."""

    is_good: bool
    killed: int = 0
    count: int = 0


def _judge(pool: Executor, path: Path, tests: Sequence[str], reasons: Mapping[str, str]) -> _Result:
    """The mutants of one module; prints the figures."""
    name, cpu_s = str(path.relative_to(SOURCES)), pool.submit(_cpu_s, tests).result()
    if cpu_s is None:
        tell(f"{name}: its tests fail without a mutant")
        return _Result(is_good=False)
    every = list(mutants(path))
    outcomes = pool.map(partial(survives, tests=tests, cpu_s=cpu_s), every)
    survivors = [mutant.change for mutant, survived in zip(every, outcomes, strict=True) if survived]
    unexplained = [change for change in survivors if change not in reasons]
    killed = len(every) - len(survivors)
    tell(f"{name}: {killed} of {len(every)} killed, {len(unexplained)} survivors without a reason")
    for change in unexplained:
        tell(f"  {change}")
    return _Result(killed >= KILLED * len(every) and not unexplained, killed, len(every))


def _cpu_s(tests: Sequence[str]) -> int | None:
    """Processor time for the tests of a mutant, from that of the tests without one; None when they fail."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not survives(Mutant("", "", ""), tests, _MOST_CPU_S):
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return max(_LEAST_CPU_S, ceil(_CPU_FACTOR * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
