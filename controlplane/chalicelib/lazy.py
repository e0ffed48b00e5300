"""Modules that are loaded when they are first used: a Lambda pays at its start for its own code only.

app.py names the code of every Lambda of the control plane, since Chalice reads all of them from it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType


def load(name: str) -> ModuleType:
    """The module of that full name; its code runs when one of its attributes is first read.

    Raises ModuleNotFoundError at once for a name that is none.
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"there is no module {name}", name=name)
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def load_rooms(rooms: Mapping[str, str]) -> dict[str, ModuleType]:
    """Modules by their last name. rooms: names below `chalicelib.<room>`, separated by spaces, by room."""
    names = [(room, name) for room, modules in rooms.items() for name in modules.split()]
    return {name.rpartition(".")[2]: load(f"chalicelib.{room}.{name}") for room, name in names}
