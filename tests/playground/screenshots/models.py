"""The models in the pictures, with the names of real ones."""

from inference.core.requests import Sampling
from tests.fakes import GB, card

CARDS = (
    card(
        "mlx-community/Qwen3-8B-4bit",
        family="qwen3",
        context_length=40_960,
        resident_bytes=int(4.6 * GB),
        own_sampling=Sampling(temperature=0.6, top_p=0.95, top_k=20),
    ),
    card(
        "mlx-community/Llama-3.2-3B-Instruct-4bit",
        family="llama",
        context_length=131_072,
        resident_bytes=int(1.8 * GB),
        own_sampling=Sampling(temperature=0.6, top_p=0.9),
    ),
    card(
        "mlx-community/gemma-3-4b-it-4bit",
        family="gemma3",
        context_length=131_072,
        resident_bytes=int(2.6 * GB),
    ),
    card(
        "mlx-community/Phi-4-mini-instruct-4bit",
        family="phi3",
        context_length=131_072,
        resident_bytes=int(2.2 * GB),
    ),
    card(
        "mlx-community/Qwen3-0.6B-4bit", family="qwen3", context_length=40_960, resident_bytes=int(0.4 * GB)
    ),
)
