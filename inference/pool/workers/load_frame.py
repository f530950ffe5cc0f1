"""The frame that has a worker load a model."""

from msgspec import structs

from inference.core.model_card import ModelCard
from inference.core.protocol import Load


def load_frame(options: Load, card: ModelCard) -> Load:
    """The site's options with the model of this card and its operator's choices."""
    found = structs.replace(
        options,
        model=card.id,
        path=card.path,
        adapter=card.adapter,
        kv_bits=card.kv_bits,
        speculation=card.speculation or options.speculation,
        draft_model=card.draft_model,
        draft_path=card.draft_path,
        context_limit=min(card.context_length, options.context_limit or card.context_length),
        ranks=card.ranks,
    )
    return found if card.ranks == 1 else _of_ranks(found)


def _of_ranks(options: Load) -> Load:
    """Without what each rank would decide by its own clock or disk."""
    return structs.replace(
        options, speculation="off", draft_model="", draft_path="", prefix_disk_path="", prefix_disk_bytes=0
    )
