"""How long a prompt is, as long as the other server has not counted, and how long its answer may become."""

from inference.core.requests import ChatRequest, GenerationRequest

_LETTERS_PER_TOKEN = 4  # of English; a guess
_CAUTIOUS_LETTERS_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 16  # what chat templates put around one
_TOKENS_PER_PICTURE = 1000
_LEAST = 16  # tokens of an answer that are asked for, however long the prompt may be


def prompt_tokens(request: GenerationRequest) -> int:
    """A guess at the tokens of the prompts."""
    return _tokens(request, _LETTERS_PER_TOKEN)


def longest_answer(request: GenerationRequest, context_length: int, most: int) -> int:
    """The most tokens that each answer may have: what was asked for, as far as the context has room.

    `most` is the site's own limit; 0 for none. Servers refuse more than the context has, and clients send a
    ceiling that may be more.
    """
    longest = max((_of_prompt(request, _CAUTIOUS_LETTERS_PER_TOKEN)), default=0)
    room = max(_LEAST, context_length - longest)
    wanted = room if request.max_tokens is None else request.max_tokens
    return min(wanted, room, most or room)


def _tokens(request: GenerationRequest, letters: int) -> int:
    return sum(_of_prompt(request, letters))


def _of_prompt(request: GenerationRequest, letters: int) -> list[int]:
    """The tokens of each prompt."""
    if isinstance(request, ChatRequest):
        texts = [message.content + message.reasoning for message in request.messages]
        texts += [tool.name + tool.description + tool.parameters for tool in request.tools]
        pictures = sum(len(message.pictures) for message in request.messages)
        each = sum(len(text) // letters + _TOKENS_PER_MESSAGE for text in texts)
        return [each + pictures * _TOKENS_PER_PICTURE]
    return [len(one) // letters if isinstance(one, str) else len(one) for one in request.prompts]
