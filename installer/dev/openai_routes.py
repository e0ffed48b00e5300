"""`python -m installer.dev.openai_routes OPENAPI_JSON COMMIT DATE` writes `judges/openai.json`.

OPENAPI_JSON: openapi.json of github.com/openai/openai-openapi, which OpenAI publishes, at that commit. Of 3 MB the file
keeps what the judge `provider` needs: which methods each path has, and of the operations that the checks use the
required and the possible fields of the body, and the words that the answer may hold in some of its fields.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "judges" / "openai.json"
SOURCE = "github.com/openai/openai-openapi, openapi.json"
_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_BODIES = ("/chat/completions", "/embeddings", "/responses")
# The place of the words in the schema of the answer, by the fact of the check that compares them.
_WORDS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "/chat/completions": {"object": ("object",), "finish_reason": ("choices", "finish_reason")},
    "/responses": {"object": ("object",), "state": ("status",)},
}
_JSON = "application/json"


def main(arguments: Sequence[str]) -> int:
    """0 when the file is written; 2 with a line of help otherwise."""
    if len(arguments) != 3:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    path, commit, date = arguments
    held = extract(json.loads(Path(path).read_text()), commit, date)
    FILE.write_text(json.dumps(held, indent=1, sort_keys=True) + "\n")
    return 0


def extract(description: Mapping[str, Any], commit: str, date: str) -> dict[str, Any]:
    """What the judge needs of OpenAI's description."""
    paths = description["paths"]
    return {
        "source": SOURCE,
        "commit": commit,
        "date": date,
        "version": description["info"]["version"],
        "methods": {f"/v1{path}": _methods(operations) for path, operations in paths.items()},
        "bodies": {f"/v1{path}": _body(description, paths[path]["post"]) for path in _BODIES},
        "words": {f"/v1{path}": _words(description, paths[path]["post"], facts) for path, facts in _WORDS.items()},
        "error": sorted(_schema(description, {"$ref": "#/components/schemas/Error"})["properties"]),
    }


def _methods(operations: Mapping[str, Any]) -> list[str]:
    return [method.upper() for method in _METHODS if method in operations]


def _body(description: Mapping[str, Any], operation: Mapping[str, Any]) -> dict[str, Any]:
    schema = _schema(description, operation["requestBody"]["content"][_JSON]["schema"])
    fields = {name: _types(description, field) for name, field in sorted(schema["properties"].items())}
    return {"required": sorted(schema["required"]), "fields": fields}


def _words(
    description: Mapping[str, Any], operation: Mapping[str, Any], facts: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    answer = operation["responses"]["200"]["content"][_JSON]["schema"]
    return {fact: _enumeration(description, answer, names) for fact, names in facts.items()}


def _enumeration(description: Mapping[str, Any], schema: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    for name in names:
        schema = _schema(description, schema)["properties"][name]
        schema = schema.get("items", schema)
    return sorted(schema["enum"])


def _schema(description: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """References followed and `allOf` merged: {"properties": …, "required": …}."""
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    parts = [_schema(description, part) for part in schema.get("allOf", ())]
    properties = dict(schema.get("properties", {}))
    required = list(schema.get("required", ()))
    for part in parts:
        properties = {**part["properties"], **properties}
        required += part["required"]
    return {"properties": properties, "required": required, "type": schema.get("type"), "oneOf": _choices(schema)}


def _choices(schema: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _types(description: Mapping[str, Any], field: Mapping[str, Any]) -> list[str]:
    """The JSON types that a field may have; [] where the description names none."""
    schema = _schema(description, field)
    kinds = {kind for choice in schema["oneOf"] for kind in _types(description, choice)}
    kinds |= {"object"} if schema["properties"] else set()
    declared = schema["type"]
    return sorted(kinds | ({declared} if isinstance(declared, str) else set(declared or ())))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
