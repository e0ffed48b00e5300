"""LiteLLM's proxy with one worker, in an environment of its own, installed when the bench is asked to."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import say
from bench.proxy.figures import NotRun
from bench.proxy.processes import ROOT, clean_environment, free_port, process, wait_until_answers

REQUIREMENT = "litellm[proxy]==1.106.2"
HOME = ROOT / ".local" / "bench-litellm"


def install() -> Path:
    """The environment's folder; made on first use. Raises NotRun when it cannot be installed."""
    stamp = HOME / REQUIREMENT.replace("[", "-").replace("]", "-")
    if stamp.exists():
        return HOME
    say(f"installing {REQUIREMENT} into .local/bench-litellm (once, some minutes)")
    uv = [sys.executable, "-m", "uv"]
    try:
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(HOME)], check=True)
        install_command = [*uv, "pip", "install", "--quiet", "--python", str(HOME / "bin" / "python"), REQUIREMENT]
        subprocess.run(install_command, check=True, timeout=900)
    except (subprocess.SubprocessError, OSError) as error:
        raise NotRun(f"it could not be installed ({error})") from None
    stamp.touch()
    return HOME


@contextlib.contextmanager
def proxy(upstream_port: int) -> Iterator[int]:
    """LiteLLM's proxy in front of the upstream, as its documentation advises for production; its port."""
    home, port = install(), free_port()
    parameters = {
        "model": "openai/gpt-4o-mini",
        "api_base": f"http://127.0.0.1:{upstream_port}/v1",
        "api_key": "sk-upstream",
    }
    config: dict[str, object] = {
        "model_list": [{"model_name": "gpt-4o-mini", "litellm_params": parameters}],
        "litellm_settings": {"telemetry": False, "set_verbose": False, "json_logs": False},
    }
    file = home / "config.yaml"
    file.write_text(json.dumps(config))  # JSON is YAML
    environment = {
        **clean_environment(),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        # Without a key it checks none, which is in its favour; the upstream is on this machine.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    command = [str(home / "bin" / "litellm"), "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log.txt").open("w") as log:
        options = {"stdout": log, "stderr": log, "env": environment}
        with process([*command, "--num_workers", "1"], **options) as started:
            wait_until_answers(port, 180.0, lambda: started.poll() is None)
            yield port
