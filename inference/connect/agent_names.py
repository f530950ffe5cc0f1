"""The names of models that agents ask for by themselves, whatever model they are set up with."""

from typing import Final

# One with `*` at its end is for all names that begin with it, because every release brings new ones.
AGENT_NAMES: Final = ("opus", "sonnet", "haiku", "claude-*", "gpt-*")
AS_TEXT: Final = "opus, sonnet, haiku and everything that begins with claude- or gpt-"
