"""Environment files: YAML or JSON, checked against the published schema before anything is sent."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from ctl.inputs import Refused
from ctl.settings import merged, parsed

_SUFFIXES = (".yaml", ".yml", ".json")
_OPTIONS = ("slo", "load", "bake")


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """One environment as it should be. content: the checked document, without free `x-` fields."""

    path: Path
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.content["name"])

    @property
    def order(self) -> int:
        return int(self.content.get("order", 0))

    @property
    def config(self) -> dict[str, Any]:
        """Every setting: those of the file, and the defaults of the others."""
        return merged(defaults("Config"), self.content.get("config", {}))

    @property
    def place(self) -> dict[str, str]:
        """The query with which the secret's routes reach an environment elsewhere; {} for one at home."""
        target = self.content.get("config", {}).get("target")
        return {"target": json.dumps(target)} if target else {}

    @property
    def options(self) -> dict[str, Any]:
        """`slo`, `load` and `bake` with their defaults, and `approval`."""
        parts = {name: merged(defaults(name.capitalize()), self.content.get(name, {})) for name in _OPTIONS}
        return {**parts, "approval": self.content.get("approval", "none")}


def schema() -> dict[str, Any]:
    """The published schema."""
    loaded: dict[str, Any] = json.loads(schema_text())
    return loaded


def schema_text() -> str:
    return files(__package__).joinpath("schema.json").read_text(encoding="utf-8")


def defaults(name: str) -> dict[str, Any]:
    """The default of every field of one of the schema's definitions; nested objects in full."""
    return _defaults(schema()["$defs"], name)


def _defaults(parts: Mapping[str, Any], name: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for field, described in parts[name]["properties"].items():
        if "$ref" in described:
            result[field] = _defaults(parts, described["$ref"].rpartition("/")[2])
        elif "default" in described:
            result[field] = described["default"]
    return result


def load(paths: Iterable[Path], settings: Iterable[str] = (), only: Iterable[str] = ()) -> list[EnvironmentFile]:
    """The environments in these files and folders, in the order of their waves, then of their names.

    settings: `KEY=VALUE` for each of them. only: names; all when empty. Raises Refused, naming file and field.
    """
    config, options = parsed(settings)
    overrides = ({"config": config} if config else {}) | options
    environments = [_checked(path, overrides) for path in _listed(paths)]
    _refuse_twice(environments)
    wanted = set(only)
    missing = wanted - {environment.name for environment in environments}
    if missing:
        raise Refused(f"--only {', '.join(sorted(missing))}: no file is for this environment")
    chosen = [environment for environment in environments if not wanted or environment.name in wanted]
    return sorted(chosen, key=lambda environment: (environment.order, environment.name))


def _listed(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.exists():
            raise Refused(f"{path} does not exist")
        if not path.is_dir():
            yield path
            continue
        inside = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and not file.name.startswith("."))
        if not inside:
            raise Refused(f"{path} holds no file that ends with {', '.join(_SUFFIXES)}")
        yield from inside


def _checked(path: Path, overrides: Mapping[str, Any]) -> EnvironmentFile:
    document = merged(read(path), dict(overrides))
    error = best_match(Draft202012Validator(schema()).iter_errors(document))
    if error is not None:
        raise Refused(f"{path}: {_explained(error)}")
    return EnvironmentFile(path, {name: value for name, value in document.items() if not name.startswith("x-")})


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML or JSON file. Raises Refused."""
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - derived from SafeLoader
    except OSError as problem:
        raise Refused(f"{path} cannot be read: {problem.strerror or problem}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not UTF-8 text") from None
    except (yaml.YAMLError, RecursionError) as problem:
        raise Refused(f"{path} is not YAML: {' '.join(str(problem).split())}") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise Refused(f"{path} must hold one mapping, with at least `name:`")
    return document


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"{twice} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _explained(error: ValidationError) -> str:
    """`config.memory_mb: 'many' is not of type 'integer'`, with a guess for a misspelt field."""
    path = ".".join(map(str, error.absolute_path))
    where = f"{path}: " if path else ""
    schema_ = error.schema
    if error.validator == "additionalProperties" and isinstance(error.instance, dict) and isinstance(schema_, dict):
        fields = list(schema_.get("properties", {}))
        unknown = next(str(name) for name in error.instance if name not in fields)
        close = difflib.get_close_matches(unknown, fields, n=1)
        hint = f"did you mean {close[0]}?" if close else f"fields: {', '.join(fields)}"
        return f"{where}unknown field {unknown}; {hint}"
    if "api_key" in error.absolute_path:
        # The value may be a key: it must not reach a log.
        return f"{where}must be a reference, for example {{env: OPENAI_API_KEY}}; the key itself never stands in a file"
    return f"{where}{error.message}"


def _refuse_twice(environments: Iterable[EnvironmentFile]) -> None:
    by_name: dict[str, Path] = {}
    for environment in environments:
        if environment.name in by_name:
            raise Refused(f"{environment.name} stands in two files: {by_name[environment.name]} and {environment.path}")
        by_name[environment.name] = environment.path
