"""`--set KEY=VALUE`: one setting of `config` or `options`, with the value read as YAML reads a scalar. Pure."""

from collections.abc import Iterable
from typing import Any

import yaml

from ctl.inputs import Refused

# Parts of `options` that may be named without it.
_OPTIONS = ("slo", "load", "bake")


def parsed(settings: Iterable[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(config, options) as POST /deployments takes them. Raises Refused for what is not KEY=VALUE or set twice."""
    request: dict[str, dict[str, Any]] = {"config": {}, "options": {}}
    for setting in settings:
        name, equals, text = setting.partition("=")
        path = [part.strip() for part in name.split(".")]
        if not equals or not all(path):
            raise Refused(f"--set {setting} is not KEY=VALUE, for example --set memory_mb=1024")
        if path[0] not in request:
            path.insert(0, "options" if path[0] in _OPTIONS else "config")
        if len(path) == 1:
            raise Refused(f"--set {setting} names no field of {path[0]}")
        _put(request, path, _value(setting, text), setting)
    return request["config"], request["options"]


def _put(target: dict[str, Any], path: list[str], value: object, setting: str) -> None:
    *folders, last = path
    for folder in folders:
        target = target.setdefault(folder, {})
        if not isinstance(target, dict):
            raise Refused(f"--set {setting}: {folder} has a value already")
    if last in target:
        raise Refused(f"--set {setting}: {'.'.join(path)} is set twice")
    target[last] = value


def _value(setting: str, text: str) -> object:
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        raise Refused(f"--set {setting}: the value is not YAML; put quotes around it") from None


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`base` with `changes` in it, objects within objects too."""
    result = dict(base)
    for name, value in changes.items():
        before = result.get(name)
        result[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result
