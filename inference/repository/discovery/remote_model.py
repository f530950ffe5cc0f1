"""A model on the hub as the catalog would describe it: read from its small files, without its weights."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from inference.core.model_card import ModelCard
from inference.repository import card_reader
from inference.repository.card_reader import Machine
from inference.repository.discovery import hub_model, remote_weights
from inference.repository.downloads import hub_settings
from inference.repository.downloads.errors import HubUnavailable, NotAModel
from inference.repository.downloads.http import HubClient
from inference.repository.downloads.hub_names import check_id
from inference.repository.downloads.listing import Listing
from inference.repository.downloads.partial_file import HubFile
from inference.repository.downloads.retry_policy import RetryPolicy
from inference.repository.downloads.transient_error import TransientError
from inference.repository.files import architectures, chat_template_files, json_files
from inference.repository.files.json_files import MOST_BYTES, UnreadableJson
from inference.repository.files.safetensors import BrokenWeights

# Somebody waits for it, so a hub that is slow or busy is not waited for.
POLICY = RetryPolicy(tries=1, connect_s=5, stall_s=8, answer_s=10)
_READ = (
    *("config.json", "tokenizer_config.json", "generation_config.json", "model.safetensors.index.json"),
    *("chat_template.jinja", "chat_template.json", "processor_config.json"),
    *("modules.json", "sentence_bert_config.json", "?_Pooling/config.json"),
)
_MOST_FILE_BYTES = 4 * 2**20
_AT_ONCE = 4
_PICTURES = ("vision_config", "vision_tower", "mm_vision_tower", "visual")


class HubModelDetails(Struct, frozen=True, kw_only=True):
    """What is known of a model before it is downloaded."""

    card: ModelCard  # its problem says why it could not be served
    download_bytes: int
    config: dict[str, Any]
    tokenizer_config: dict[str, Any]
    chat_template: str
    licence: str
    is_gated: bool  # its owner wants a licence accepted first

    @property
    def has_vision(self) -> bool:
        """Whether its config.json describes a part that sees pictures."""
        return any(self.config.get(name) for name in _PICTURES)


def read(repo: str, machine: Machine, *, endpoint: str | None = None) -> HubModelDetails:
    """Read a model's small files and the headers of its weights from the hub.

    Raises NotAnId, NotOnHub, NotPermitted, NotAModel or HubUnavailable.
    """
    check_id(repo)
    client = hub_settings.connect(repo, POLICY, purpose="look at its models", endpoint=endpoint)
    try:
        with client, tempfile.TemporaryDirectory(prefix="mlxsite-hub-") as folder:
            return _read(repo, client, Path(folder), machine)
    except TransientError as error:
        raise type(error.then)(f"{error} Try again later.") from None
    except OSError as error:  # of the folder for temporary files
        raise HubUnavailable(f"Its files cannot be read: {error.strerror}.") from None


def _read(repo: str, client: HubClient, folder: Path, machine: Machine) -> HubModelDetails:
    answer = client.listing()
    listing = Listing.of(repo, answer)
    weights = [file for file in listing.files if file.name.endswith(".safetensors")]
    for file, content in _contents(client, listing):
        if not content and file.name in MOST_BYTES:
            continue  # an empty one would be a broken one
        path = folder / file.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        if content:
            listing.check(folder, file.name)
    config, tokenizer_config = _object(folder / "config.json"), _object(folder / "tokenizer_config.json")
    try:
        tensors = remote_weights.read(client, listing.revision, weights, config)
    except BrokenWeights as error:
        raise NotAModel(f"{repo} cannot be served: {error}. Choose another model.") from None
    card = card_reader.make_card(repo, folder, "hub", machine, lambda _: tensors)
    return HubModelDetails(
        card=_with_architecture(card),
        download_bytes=listing.size,
        config=config,
        tokenizer_config=tokenizer_config,
        chat_template=_template(folder),
        licence=hub_model.licence(answer),
        is_gated=bool(answer.get("gated")),
    )


def _contents(client: HubClient, listing: Listing) -> list[tuple[HubFile, bytes]]:
    """Each file with its content; of those that are not read nothing, since their names alone say much."""

    def content(file: HubFile) -> bytes:
        is_read = any(fnmatch(file.name, name) for name in _READ) and 0 < file.size <= _MOST_FILE_BYTES
        return client.part(listing.revision, file.name, 0, file.size) if is_read else b""

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="hub-files") as threads:
        return list(zip(listing.files, threads.map(content, listing.files), strict=True))


def _with_architecture(card: ModelCard) -> ModelCard:
    """The card, with the problem that a model of an unknown kind would have at its first load."""
    if card.problem or card.kind != "chat" or architectures.is_known(card.family):
        return card
    return structs.replace(card, problem=f"mlx-lm does not support this kind of model ({card.family})")


def _object(path: Path) -> dict[str, Any]:
    try:
        return json_files.read_object(path)
    except UnreadableJson:
        return {}


def _template(folder: Path) -> str:
    try:
        return chat_template_files.find(folder)
    except (OSError, ValueError, RecursionError):
        return ""
