"""The `options` of a request: how tokens are drawn, and how Ollama's own runner uses the machine.

Source: the Modelfile's parameters (https://github.com/ollama/ollama/blob/main/docs/modelfile.mdx) and the
classes Options of Ollama's own Go and Python clients.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from inference.api.http.strict_schema import Part, Refused, unsupported
from inference.api.openai.schemas.generation import Penalty, Stop
from inference.core.requests import Sampling

_MACHINE = "the server manages memory, threads and contexts."
_NO_SUCH_SAMPLER = "this sampler is not supported; use temperature, top_p, top_k or min_p."
_SMALLEST_SHARE = 1e-6  # of top_p: the likeliest token alone
_ANY_SEED = -1  # llama.cpp's value for none
# The options by what the rest of the server calls them.
OPTION_NAMES: Mapping[str, str] = {
    "max_tokens": "num_predict",
    "repetition_penalty": "repeat_penalty",
    "repetition_window": "repeat_last_n",
    **{name: name for name in ("frequency_penalty", "presence_penalty", "temperature", "top_k", "top_p")},
    **{name: name for name in ("min_p", "seed", "stop")},
}


class Options(Part):
    """The options of a request."""

    refused = {
        "mirostat": Refused(_NO_SUCH_SAMPLER, (0,)),
        "tfs_z": Refused(_NO_SUCH_SAMPLER, (0, 1)),
        "typical_p": Refused(_NO_SUCH_SAMPLER, (0, 1)),
        "penalize_newline": Refused("line breaks are penalised like any other token.", (True,)),
        "vocab_only": Refused("partial loads are not supported.", (False,)),
    }
    noted = {
        "draft_num_predict": "it only changes the speed of an answer.",
        "embedding_only": _MACHINE,
        "f16_kv": _MACHINE,
        "logits_all": _MACHINE,
        "low_vram": _MACHINE,
        "main_gpu": _MACHINE,
        "mirostat_eta": "it belongs to `mirostat`.",
        "mirostat_tau": "it belongs to `mirostat`.",
        "num_batch": _MACHINE,
        "num_ctx": "the context is the model's; a prompt that does not fit is refused.",
        "num_gpu": _MACHINE,
        "num_keep": "the context is never shortened.",
        "num_thread": _MACHINE,
        "numa": _MACHINE,
        "use_mlock": _MACHINE,
        "use_mmap": _MACHINE,
    }
    aliases = {"repetition_penalty": "repeat_penalty"}

    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        None, description="0 to 2; the default is the model's own, else 1."
    )
    top_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="0 to 1; the default is the model's own, else 1."
    )
    top_k: Annotated[int, Field(ge=-1, le=2**31 - 1)] | None = Field(
        None, description="0 or more; 0 or -1 for all tokens. The default is the model's own, else 0."
    )
    min_p: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="0 to 1; the default is the model's own, else 0."
    )
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = Field(
        None, description="The same request with the same seed samples the same tokens; -1 for no seed."
    )
    num_predict: Annotated[int, Field(ge=-2, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "1 or more: the maximum number of tokens in the answer. 0, -1 and -2 select the server's "
            "default, or the rest of the context."
        ),
    )
    stop: Stop | None = Field(
        None, description="A string, or up to 64 strings; the text ends before the first one that occurs."
    )
    repeat_penalty: Annotated[float, Field(gt=0, le=2)] | None = Field(
        None,
        description=(
            "Above 0 to 2: divides the logits of tokens that the prompt or the answer already contains."
        ),
    )
    repeat_last_n: Annotated[int, Field(ge=-1, le=2**31 - 1)] | None = Field(
        None,
        description=(
            "With `repeat_penalty`: the number of latest tokens that it considers; -1, the default, is all. "
            "0 switches all penalties off. Larger numbers are refused together with `presence_penalty` and "
            "`frequency_penalty`."
        ),
    )
    presence_penalty: Penalty | None = Field(
        None, description="-2 to 2: subtracted from the logit of each token that the answer already contains."
    )
    frequency_penalty: Penalty | None = Field(
        None,
        description="-2 to 2: subtracted from the logit of a token once for each occurrence in the answer.",
    )

    @model_validator(mode="after")
    def _check_penalties(self) -> Self:
        if self._window and (self.presence_penalty or self.frequency_penalty):
            raise unsupported(
                "<field> is not supported together with presence_penalty and frequency_penalty: they look at "
                "the whole answer; send -1, or leave it out.",
                "repeat_last_n",
            )
        return self

    @property
    def _window(self) -> int | None:
        """How many of the latest tokens a repetition penalty looks at; None for all of them."""
        return self.repeat_last_n if self.repeat_last_n and self.repeat_last_n > 0 else None

    @property
    def sampling(self) -> Sampling:
        is_off = self.repeat_last_n == 0
        return Sampling(
            temperature=None if self.temperature is None else self.temperature + 0.0,  # -0.0 is 0
            top_p=_SMALLEST_SHARE if self.top_p == 0 else self.top_p,
            top_k=0 if self.top_k == -1 else self.top_k,
            min_p=self.min_p,
            seed=None if self.seed == _ANY_SEED else self.seed,
            presence_penalty=0.0 if is_off else self.presence_penalty or 0.0,
            frequency_penalty=0.0 if is_off else self.frequency_penalty or 0.0,
            repetition_penalty=1.0 if is_off else self.repeat_penalty,
            repetition_window=self._window,
        )

    @property
    def max_tokens(self) -> int | None:
        return self.num_predict if self.num_predict and self.num_predict > 0 else None

    @property
    def stop_texts(self) -> tuple[str, ...]:
        stops = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(stop for stop in stops if stop)
