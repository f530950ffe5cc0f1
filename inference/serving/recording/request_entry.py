"""The entry of one request, and the use of a key, on their way to the database."""

from typing import Literal

from msgspec import Struct


class RequestEntry(Struct, kw_only=True):
    """One request, as it goes on; times are unix seconds, durations seconds."""

    at: float
    principal_kind: Literal["local", "key", "user"]
    principal: str = ""  # a user's name, or the visible beginning of a key
    account: str = ""  # the user name behind it
    model: str
    dialect: str = ""  # the API that it was sent to, as api/http/dialects.py calls it
    request_id: str = ""  # the X-Request-Id of its response
    noted: str = ""  # its fields that were noted, as the header x-mlx-noted lists them
    kind: str  # chat, completion, embedding, rerank, tokenize, detokenize, or title
    queued_s: float = 0.0
    loading_s: float = 0.0
    prefill_s: float = 0.0
    decode_s: float = 0.0
    paused_s: float = 0.0  # until there was memory for the rest of its answers
    queue_place: int = 0  # its first place among the waiting requests; 0 if it did not wait
    own_ahead: int = 0  # answers of its account's earlier requests, for which others were served before it
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    finish: str = ""  # the answers' reasons, in order
    error: str = ""  # the code of the error that the client got
    has_left: bool = False  # the client went before the end
    prompt: str = ""  # this and the answer only while capture is on
    answer: str = ""

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class KeyUse(Struct, frozen=True, kw_only=True):
    """A key was used, for whatever it was."""

    prefix: str
    at: float


Note = RequestEntry | KeyUse
