"""The models of one secret in another's document: what a promotion changes, which is nothing but the models."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.errors import BadRequest, PhaseFailed
from chalicelib.domain.fleets.promotions import Promotion
from chalicelib.domain.secret_schema import check

Document = Mapping[str, object]
_DEFAULTS: Mapping[str, object] = {"timeout_s": None, "fallbacks": [], "upstream": None}
_UPSTREAM = "upstream"


def are_same(source: Document, own: Document) -> bool:
    """Whether both documents map models alike; a field that is left out equals its default."""
    return _plain(source) == _plain(own)


def with_models(source: Document, own: Document, promotion: Promotion, environment: str) -> dict[str, object]:
    """The environment's own document with the models of `source`. Keys, upstreams and limits stay its own.

    Raises PhaseFailed (PromotedModelsDoNotFit) naming the field, such as an upstream that the environment lacks.
    """
    merged = {**own, "models": source.get("models") or {}}
    models = merged["models"]
    if isinstance(models, Mapping) and any(_UPSTREAM in model for model in models.values()):
        merged["schema"] = 2  # schema 1 knows no upstreams
    try:
        check(merged)
    except BadRequest as error:
        # `from None`: a traceback of the cause could show the document.
        raise PhaseFailed(
            f"the models of {promotion.environment} do not fit the secret of {environment}: {error.message}",
            code="PromotedModelsDoNotFit",
            field=error.field,
            remedy=f"Give {environment} what the model needs, with its own key: proxyctl secret set {environment}.",
        ) from None
    return merged


def _plain(document: Document) -> dict[str, dict[str, object]]:
    models = document.get("models") or {}
    assert isinstance(models, Mapping), "a checked document"
    return {alias: {**_DEFAULTS, **model} for alias, model in models.items()}
