"""A model that has just arrived, by a download or an import."""

from inference.serving import runtime


def kind_of(model_id: str) -> str:
    """Its kind, for the link to a chat: "chat", "embedding" or "rerank"; empty where it cannot be served."""
    card = runtime.catalog().exact(model_id)
    return card.kind if card and card.is_servable else ""
