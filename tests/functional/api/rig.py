"""The served API as schemathesis sees it: its document, its address, a signature for every request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import requests
import schemathesis
from chalicelib.api.openapi import document
from requests.auth import AuthBase
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.schemas import APIOperation, BaseSchema

from tests.fakes.served_api import ServedApi, served, sign
from tests.functional.api.world import FLEET, populated

CONFIG: dict[str, Any] = {
    "checks": {
        # API Gateway answers 403, not 405, to a method that a route lacks.
        "unsupported_method": {"enabled": False},
        # Rules between fields (a p99 needs enough requests, a model's upstream must exist) are in no schema: 400.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404", "409"]},
    },
    # The signature is this harness's, which would sign a request again that schemathesis sends without.
    "generation": {"with-security-parameters": False},
    "phases": {"coverage": {"unexpected-methods": []}},
}
LABELS = [f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods]


class Signed(AuthBase):
    """Signs what is about to be sent."""

    def __init__(self, api: ServedApi) -> None:
        self._api = api

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body: Any = request.body or b""
        content: bytes = body.encode() if isinstance(body, str) else body
        request.headers.update(sign(str(request.method), str(request.url), {}, content, self._api.credentials))
        return request


class Rig:
    """names: what requests may name and exists. operations: by label, such as `GET /health`."""

    def __init__(self, api: ServedApi, names: dict[str, str]) -> None:
        self.names, self.url = names, api.url
        self._signed, self._session = Signed(api), requests.Session()
        described = document() | {"servers": [{"url": api.url}]}
        self.schema: BaseSchema = schemathesis.openapi.from_dict(described, config=SchemathesisConfig.from_dict(CONFIG))
        operations = [item.ok() for item in self.schema.get_all_operations() if isinstance(item, Ok)]
        self.operations: dict[str, APIOperation[Any, Any, Any, Any]] = {item.label: item for item in operations}

    def check(self, case: Case[Any]) -> int:
        """Send the request and hold the answer against the document; its status."""
        answer = case.call_and_validate(base_url=self.url, auth=self._signed, session=self._session)
        return int(answer.status_code)

    def workflow(self) -> type[APIStateMachine]:
        """Sequences of requests that follow the document's links, each answer held against the document."""
        signed, session, url = self._signed, self._session, self.url

        class Workflow(self.schema.as_state_machine()):  # type: ignore[misc]  # a class that is made at run time
            def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
                return {"auth": signed, "session": session, "base_url": url}

        return Workflow

    def send(self, method: str, path: str, body: Any) -> requests.Response:
        """The answer to a signed request, which nothing checks. body: JSON; not sent with GET."""
        content = None if method == "GET" else body
        return requests.request(method, self.url + path, json=content, auth=self._signed, timeout=30)

    def boundary_cases(self, label: str) -> Sequence[Case[Any]]:
        """Requests with values at and beyond every boundary that the document names, in a fixed order."""
        operation = self.operations[label]
        config = self.schema.config.generation_for(operation=operation, phase="coverage")
        modes = list(GenerationMode)
        return list(self.schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=config))

    def existing(self, label: str) -> dict[str, str]:
        """The path parameters of an operation, with names of things that exist."""
        names = self.names | ({"name": FLEET, "id": self.names["fleet"]} if "/fleets" in label else {})
        return {parameter.name: names[parameter.name] for parameter in self.operations[label].path_parameters}


@contextmanager
def rig() -> Iterator[Rig]:
    """Serves a populated API until the block ends."""
    aws, names = populated()
    with served(aws) as api:
        yield Rig(api, names)
