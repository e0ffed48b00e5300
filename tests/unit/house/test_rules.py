"""Each rule of the house finds what breaks it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.house import rooms, rules
from tests.house.source import Module, imports, longest_path, modules

Rule = Callable[[Sequence[Module]], list[str]]
LONG = "\n".join(f"NUMBER_{n} = {n}" for n in range(301))
DEEP = {f"deep/m{n}.py": f"from deep import m{n + 1}\n" for n in range(10)} | {"deep/m10.py": ""}
SHORT = "def f() -> int:\n    return 1\n\n\n"
BODY = "\n".join(f"    x{n} = {n}" for n in range(18))


def tree(folder: Path, files: dict[str, str]) -> list[Module]:
    """The modules of a package of these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules(folder, *sorted({Path(name).parts[0].removesuffix(".py") for name in files}))


BROKEN: list[tuple[Rule, dict[str, str]]] = [
    (rules.too_long, {"a/b.py": LONG}),
    (rules.too_many, {f"a/m{n}.py": "" for n in range(17)}),
    (rules.too_deep, DEEP),
    (rules.too_deep, {"a/b.py": "from a import c\n", "a/c.py": "def f() -> None:\n    from .b import g\n"}),
    (rules.looked_up_by_text, {"a.py": "x = request.results['deploy_stack']\n"}),
    (rules.looked_up_by_text, {"a.py": "x = results['deploy_stack']\n"}),
    (rules.looked_up_by_text, {"a.py": "x = request.cursor['step']\n"}),
    (rules.looked_up_by_text, {"a.py": "x = request.cursor.get('step')\n"}),
    (rules.looked_up_by_text, {"a.py": "x = request.results.get(f'{name}', {})\n"}),
    (rules.riddling, {"a.py": "told = 1\n"}),
    (rules.riddling, {"a.py": "x = [one for one in y]\n"}),
    (rules.riddling, {"a.py": "def f(asked: int) -> None: ...\n"}),
    (rules.riddling, {"a.py": "class A:\n    def __init__(self) -> None:\n        self._known = 1\n"}),
    (rules.riddling, {"a.py": "for _, (found, x) in y:\n    pass\n"}),
    (rules.riddling, {"a.py": "if made := f():\n    pass\n"}),
    (rules.riddling, {"a.py": "def seen() -> None: ...\n"}),
    (rules.undocumented, {"a.py": "def f() -> None: ...\n"}),
    (rules.undocumented, {"a.py": "class A:\n    def f(self) -> None: ...\n"}),
    (rules.unannounced, {"a.py": 'def f() -> None:\n    """Does."""\n    if x:\n        raise ValueError("no")\n'}),
    (rules.unannotated, {"a.py": "def f(x) -> None: ...\n"}),
    (rules.unannotated, {"a.py": "def f(x: int): ...\n"}),
    (rules.unannotated, {"a.py": "def f(*x) -> None: ...\n"}),
    (rules.long_functions, {"a.py": "\n\n".join(f"def f{n}() -> None:\n{BODY}\n" for n in range(10))}),
    (rules.long_functions, {"a.py": SHORT * 8 + f"def g() -> None:\n{BODY}\n\n\ndef h() -> None:\n{BODY}\n"}),
    (rules.untyped, {"a.py": "x: Any = 1\n" + "\n" * 110}),
    (rooms.undescribed, {"a/__init__.py": '"""The room of load_test."""\n'}),
    (rooms.acting, {"chalicelib/stack/state.py": "from chalicelib.ports import Aws\n"}),
    (rooms.acting, {"chalicelib/phases/bake/rule.py": "from chalicelib.ports.alarms import Alarms\n"}),
    (rooms.acting, {"chalicelib/load/histogram.py": "import time\n"}),
    (rooms.acting, {"chalicelib/checks/check.py": "from datetime import datetime\n\nx = datetime.now()\n"}),
    (rooms.acting, {"chalicelib/checks/check.py": "import random\n\nx = random.random()\n"}),
]
SOUND: list[tuple[Rule, dict[str, str]]] = [
    (rules.too_long, {"a/b.py": LONG.partition("\n")[2]}),
    (rules.too_many, {f"a/m{n}.py": "" for n in range(16)} | {"a/__init__.py": ""}),
    (rules.too_deep, {name: text for name, text in DEEP.items() if name != "deep/m0.py"}),
    (rules.looked_up_by_text, {"a.py": "x = rows['step'] + results[0] + cursor[name] + results.get(KIND)\n"}),
    (rules.riddling, {"a.py": "class A:\n    found: str\n\n\ntold_by = {'told': 1}\n"}),
    (rules.undocumented, {"a.py": 'def f() -> None:\n    """What it does."""\n\n\ndef _g() -> None: ...\n'}),
    (rules.unannounced, {"a.py": 'def f() -> None:\n    """Does. Raises ValueError."""\n    raise ValueError("no")\n'}),
    (
        rules.unannounced,
        {"a.py": 'def f() -> None:\n    """Goes on."""\n    try:\n        g()\n    except E:\n        raise\n'},
    ),
    (rules.unannotated, {"a.py": "class A:\n    def f(self, x: int, *y: int, **z: int) -> None: ...\n"}),
    (rules.long_functions, {"a.py": SHORT * 9 + f"def g() -> None:\n{BODY}\n"}),
    (rules.untyped, {"a.py": "x: Any = 1\n" + "\n" * 124}),
    (rooms.undescribed, {"a/__init__.py": '"""Phase 9: load on the candidate, judged against SLOs."""\n'}),
    (rooms.undescribed, {"a/__init__.py": "", "a/README.md": "What lives here.\n"}),
    (rooms.acting, {"chalicelib/stack/follow.py": "from chalicelib.ports import Aws\n"}),
    (rooms.acting, {"chalicelib/stack/state.py": "from chalicelib.domain.aws.stacks import Stack\n"}),
    (rooms.acting, {"chalicelib/engine/runner.py": "from chalicelib.ports import Aws\n"}),
    (rooms.acting, {"chalicelib/load/arrivals.py": "import random\n\nx = random.Random(1)\n"}),
]


def cases(pairs: list[tuple[Rule, dict[str, str]]]) -> pytest.MarkDecorator:
    ids = [f"{rule.__name__}-{number}" for number, (rule, _) in enumerate(pairs)]
    return pytest.mark.parametrize(("rule", "files"), pairs, ids=ids)


@cases(BROKEN)
def test_what_breaks_a_rule_is_listed(tmp_path: Path, rule: Rule, files: dict[str, str]) -> None:
    assert len(rule([module for module in tree(tmp_path, files) if module.path.suffix == ".py"])) >= 1


@cases(SOUND)
def test_what_keeps_a_rule_is_not_listed(tmp_path: Path, rule: Rule, files: dict[str, str]) -> None:
    assert rule([module for module in tree(tmp_path, files) if module.path.suffix == ".py"]) == []


def room(folder: Path, *lacking: str) -> list[str]:
    files = {
        "chalicelib/phases/bake/__init__.py": "",
        "chalicelib/phases/bake/run.py": "PHASE = 1\n",
        "chalicelib/phases/bake/policy.json": "{}",
        "tests/bake/test_bake.py": "",
    }
    for name, text in files.items():
        if name not in lacking:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    return rooms.incomplete(folder / "chalicelib", folder / "tests", ["bake"])


def test_a_complete_room_lacks_nothing(tmp_path: Path) -> None:
    assert room(tmp_path) == []


@pytest.mark.parametrize(
    ("file", "what"),
    [
        ("chalicelib/phases/bake/run.py", "run.py with PHASE"),
        ("chalicelib/phases/bake/policy.json", "policy.json"),
        ("tests/bake/test_bake.py", "tests in bake/"),
    ],
)
def test_what_a_room_lacks_is_named(tmp_path: Path, file: str, what: str) -> None:
    assert room(tmp_path, file) == [f"phases/bake: no {what}"]


def test_a_room_that_no_registry_lists_is_named(tmp_path: Path) -> None:
    room(tmp_path)
    assert rooms.incomplete(tmp_path / "chalicelib", tmp_path / "tests", []) == ["phases/bake: not in the registry"]


def test_imports_of_packages_and_of_names_lead_to_modules(tmp_path: Path) -> None:
    files = {"a/__init__.py": "X = 1\n", "a/b.py": "from a import X\nfrom . import c\nfrom .c import Y\n", "a/c.py": ""}
    assert imports(tree(tmp_path, files)) == {"a": set(), "a.b": {"a", "a.c"}, "a.c": set()}


def test_the_longest_path_is_named_and_a_cycle_too() -> None:
    assert longest_path({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="a -> b -> a"):
        longest_path({"a": {"b"}, "b": {"a"}})
