"""One route as the document describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args, get_type_hints

from ..answers import Route
from .parameters import Parameter


@dataclass(frozen=True, slots=True)
class Operation:
    """One route. id: operationId. statuses: of its good answers.

    body: name of the schema of the request's body, "" without one; or_body: of another that it may have instead;
    body_is_optional: whether it may be left out.
    text: the media type of an answer that is no JSON. refusals: statuses of its own errors.
    """

    id: str
    path: str
    method: str
    route: Route
    tag: str
    statuses: tuple[int, ...] = (200,)
    body: str = ""
    or_body: str = ""
    body_is_optional: bool = False
    parameters: tuple[Parameter, ...] = ()
    text: str = ""
    refusals: tuple[int, ...] = ()

    @property
    def answer(self) -> type[object]:
        """The type of the answer's body, from the annotation of the route."""
        (kind,) = get_args(get_type_hints(self.route)["return"])
        return kind if isinstance(kind, type) else dict
