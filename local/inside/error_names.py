"""A Python Lambda's exception reaches Step Functions under its class name, as on AWS, not as `Runtime.HandlerError`.

Otherwise no Retry and no Catch by name could be seen here, and a refusal would look like a crash.
"""

import re
from typing import Any

_RENAMED = "Runtime.HandlerError"
_MARK = "Traceback (most recent call last):"
_RAISED = re.compile(r"^(?P<name>[A-Za-z_][\w.]*)(?::|$)")


def install(lambda_svc: Any) -> None:
    """Patch MiniStack's module `services.lambda_svc`."""
    original = lambda_svc._execute_function_warm

    def execute(*arguments: Any, **named: Any) -> dict[str, Any]:
        result: dict[str, Any] = original(*arguments, **named)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and body.get("errorType") == _RENAMED:
            body["errorType"] = class_name(str(result.get("log", ""))) or _RENAMED
        return result

    lambda_svc._execute_function_warm = execute


def class_name(log: str) -> str:
    """The class of the exception that ended the last traceback in `log`; "" without one."""
    _, mark, last = log.rpartition(_MARK)
    lines = [line for line in last.splitlines() if line and not line[0].isspace()]
    raised = _RAISED.match(lines[0]) if mark and lines else None
    return raised["name"].rpartition(".")[2] if raised else ""
