"""What the engine needs to step a loaded model: its prefix cache and an empty batch."""

import logging
from pathlib import Path

from inference.core.model_card import Finding
from inference.core.protocol import Load
from inference.worker.embedding.batch import EmbeddingBatch
from inference.worker.engine.batch import Batch
from inference.worker.engine.recovery import Steppable
from inference.worker.model.loaded_model import LoadedModel
from inference.worker.prefix_cache.cache import PrefixCache
from inference.worker.prefix_cache.disk import DiskTier, folder_for
from inference.worker.speculation.draft_model import DraftModel

logger = logging.getLogger(__name__)


def new_prefix_cache(options: Load, loaded: LoadedModel) -> tuple[PrefixCache, tuple[Finding, ...]]:
    """The model's prefix cache, with its disk tier if one is configured, and findings for its owner."""
    limit = options.prefix_cache_bytes if loaded.support.can_reuse_prefixes else 0
    can_trim = loaded.support.can_trim_prefixes
    if not (options.prefix_disk_bytes and loaded.support.can_reuse_prefixes):
        return PrefixCache(limit, can_trim=can_trim), ()
    try:
        root, model_folder = Path(options.prefix_disk_path), Path(options.path)
        folder = folder_for(root, model_folder, loaded.device, loaded.kv_bits)
        return PrefixCache(limit, DiskTier(folder, options.prefix_disk_bytes), can_trim), ()
    except OSError as error:
        logger.warning("No prefixes are kept on disk: %s", error)
        text = f"Its prefixes are not kept on disk: {error.strerror or 'their folder cannot be used'}."
        return PrefixCache(limit, can_trim=can_trim), (Finding(light="amber", about="prefixes", text=text),)


def new_batch(options: Load, loaded: LoadedModel, prefix_cache: PrefixCache) -> Steppable:
    """An empty Batch, or an empty EmbeddingBatch for a model with a pooling."""
    if loaded.pooling:
        return EmbeddingBatch(loaded.encoder, loaded.pooling, step=options.prefill_step)
    return Batch(
        loaded.model,
        max_batch=options.max_batch,
        prefill_step=options.prefill_step,
        prefix_cache=prefix_cache,
        has_exact_seeds=options.has_exact_seeds,
        support=loaded.support,
        speculates=options.speculation == "lookup",
        vision=loaded.vision,
        draft_model=DraftModel(loaded.draft_model, loaded.vocab_size) if loaded.draft_model else None,
    )
