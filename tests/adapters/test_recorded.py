"""What models have really generated, where others have published it: token by token, and in every split.

Most are cases that some server got wrong. Names of files and functions are as they were, long texts are cut.
"""

import json
from typing import NamedTuple

import pytest

from inference.adapters import Adapter
from inference.core.requests import Tool
from inference.worker.model.tokenizer import HubTokenizer
from tests.adapters.families import (
    test_deepseek,
    test_gemma,
    test_glm,
    test_gpt_oss,
    test_kimi,
    test_mistral,
    test_qwen,
)
from tests.adapters.parsed_answers import ParsedAnswer, parse_answer, parse_every_split


def tool(name: str, **properties: str) -> Tool:
    kinds = {key: {"type": kind} for key, kind in properties.items()}
    return Tool(name=name, parameters=json.dumps({"type": "object", "properties": kinds}))


TOOLS = (
    tool("bash", command="string", description="string"),
    tool("glob", pattern="string"),
    tool("execute_command", command="string", cwd="string", timeout="integer"),
    tool("ffgrep", path="string", pattern="string"),
    tool("get_current_weather", location="string"),
    tool("get_file_info", path="string"),
    tool("get_weather", city="string"),
    tool("read_file_diff_md", review_id="string", file_id="string"),
    tool("terminal", command="string"),
    tool("web_search", query="string"),
)


class Recorded(NamedTuple):
    source: str
    family: tuple[Adapter, HubTokenizer]
    output: str
    expected: ParsedAnswer


def fenced(name: str, arguments: str) -> str:
    return f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{arguments}\n```<｜tool▁call▁end｜>"


KIMI_THINKS = test_kimi.FAMILIES["k2"]
GPT_OSS = (test_gpt_oss.ADAPTER, test_gpt_oss.TOKENIZER)
TECH_STACK = "I'll analyze the tech stack of this project by examining the configuration files."
RECORDED = (
    Recorded(
        "anomalyco/opencode#8851",
        KIMI_THINKS,
        f"<think>{TECH_STACK} <|tool_calls_section_begin|> <|tool_call_begin|> functions.bash:0 "
        '<|tool_call_argument_begin|> {"command": "ls -la", "description": "List files"} '
        "<|tool_call_end|> <|tool_call_begin|> functions.glob:1 <|tool_call_argument_begin|> "
        '{"pattern": "/.json"} <|tool_call_end|> <|tool_calls_section_end|>',
        ParsedAnswer(
            reasoning=f"{TECH_STACK} ",
            calls=(
                ("bash", '{"command": "ls -la", "description": "List files"}'),
                ("glob", '{"pattern": "/.json"}'),
            ),
        ),
    ),
    Recorded(
        "vybestack/llxprt-code#749",
        KIMI_THINKS,
        "<think>Let me start by exploring. <|tool_calls_section_begin|> <|tool_call_begin|> functions.glob:0 "
        '<|tool_call_argument_begin|> {"pattern": "/Users/*"} <|tool_call_end|> '
        "<|tool_calls_section_end|></think>",
        ParsedAnswer(reasoning="Let me start by exploring. ", calls=(("glob", '{"pattern": "/Users/*"}'),)),
    ),
    Recorded(
        "llama.cpp, tests/test-chat.cpp, Kimi-K2-Thinking",
        KIMI_THINKS,
        "<|tool_call_begin|>functions.execute_command:0<|tool_call_argument_begin|>"
        '{"command": "ls -lah", "cwd": "/home/user/development/exllamav3", "timeout": 10}',
        ParsedAnswer(
            calls=(
                (
                    "execute_command",
                    '{"command": "ls -lah", "cwd": "/home/user/development/exllamav3", "timeout": 10}',
                ),
            )
        ),
    ),
    Recorded(
        "sgl-project/sglang#9446",
        test_deepseek.FAMILIES["r1"],
        "Hmm, the user is asking about the weather in Shanghai.<｜tool▁calls▁begin｜>"
        + fenced("get_current_weather", '{"location": "Shanghai"}')
        + "<｜tool▁calls▁end｜>",
        ParsedAnswer(
            reasoning="Hmm, the user is asking about the weather in Shanghai.",
            calls=(("get_current_weather", '{"location": "Shanghai"}'),),
        ),
    ),
    Recorded(
        "raullenchai/Rapid-MLX#795",
        test_deepseek.FAMILIES["r1_distill"],
        "I should look.\n</think>\n\n<｜tool▁calls▁begin｜>\n"
        + fenced("get_weather", '{"city": "Tokyo"}')
        + "\n<｜tool▁calls▁end｜>",
        ParsedAnswer(reasoning="I should look.", calls=(("get_weather", '{"city": "Tokyo"}'),)),
    ),
    Recorded(
        "waybarrios/vllm-mlx#562",
        GPT_OSS,
        "<|channel|>analysis<|message|>We need to run ffgrep. Let us search.\n<|end|><|start|>assistant"
        '<|channel|>analysis to=functions.ffgrep code<|message|>\n{"path":"","pattern":"TextualDisplayView"}',
        ParsedAnswer(
            reasoning="We need to run ffgrep. Let us search.\n",
            calls=(("ffgrep", '\n{"path":"","pattern":"TextualDisplayView"}'),),
        ),
    ),
    Recorded(
        "ggml-org/llama.cpp#27720",
        GPT_OSS,
        "<|channel|>commentary?commentary?<|end|><|start|>assistant<|channel|>analysis<|message|>hm<|end|>"
        "<|start|>assistant<|channel|>final<|message|>four",
        ParsedAnswer("four", "hm"),
    ),
    Recorded(
        "ggml-org/llama.cpp#27720, doubled",
        GPT_OSS,
        "<|channel|>commentary to=assistant<|channel|>commentary?<|end|><|start|>assistant<|channel|>analysis"
        "<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>four",
        ParsedAnswer("four", "hm"),
    ),
    Recorded("ggml-org/llama.cpp#25321", GPT_OSS, '{"answer": 4}', ParsedAnswer('{"answer": 4}')),
    Recorded(
        "vllm-project/vllm#53431",
        test_gemma.FAMILIES["gemma4"],
        '<|tool_call>:terminal{command:<|"|>ls -a<|"|>}<tool_call|>',
        ParsedAnswer(calls=(("terminal", '{"command": "ls -a"}'),)),
    ),
    Recorded(
        "vllm-project/vllm#53431, with the word",
        test_gemma.FAMILIES["gemma4"],
        '<|tool_call>:call:bash{command:<|"|>pytest<|"|>}<tool_call|>',
        ParsedAnswer(calls=(("bash", '{"command": "pytest"}'),)),
    ),
    Recorded(
        "vllm-project/vllm#53642",
        test_gemma.FAMILIES["gemma4"],
        '<|tool_call>call:terminal(command:<|"|>ls -a<|"|>)<tool_call|>',
        ParsedAnswer(calls=(("terminal", '{"command": "ls -a"}'),)),
    ),
    Recorded(
        "vLLM's tests of Gemma 4: the turn ends the call",
        test_gemma.FAMILIES["gemma4"],
        '<|tool_call>call:bash{command:<|"|>-batch -ex run /tmp/poc<|"|>}',
        ParsedAnswer(calls=(("bash", '{"command": "-batch -ex run /tmp/poc"}'),)),
    ),
    Recorded(
        "lmstudio-ai/lmstudio-bug-tracker#1528",
        test_glm.FAMILIES["4.7"],
        "</think><tool_call>get_file_info<arg_key>path</arg_key><arg_value>file1.jpg</arg_value></tool_call>\n"
        "<tool_call>get_file_info<arg_key>path</arg_key><arg_value>file2.jpg</arg_value></tool_call>",
        ParsedAnswer(
            calls=(("get_file_info", '{"path": "file1.jpg"}'), ("get_file_info", '{"path": "file2.jpg"}'))
        ),
    ),
    Recorded(
        "ggml-org/llama.cpp#20650",
        test_glm.FAMILIES["4.7"],
        "Let me read the diff content.</think><tool_call>read_file_diff_md</tool_call>",
        ParsedAnswer(reasoning="Let me read the diff content.", calls=(("read_file_diff_md", "{}"),)),
    ),
    Recorded(
        "ml-explore/mlx-lm#1307",
        test_mistral.FAMILIES["devstral"],
        '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}',
        ParsedAnswer(calls=(("get_weather", '{"city": "Paris"}'),)),
    ),
    Recorded(
        "cubist38/mlx-openai-server#228",
        test_qwen.FAMILIES["qwen3"],
        '<tool_call>\n{"name": "web_search", "arguments": {"query": "weather in Lisbon"}}\n</tool_call>',
        ParsedAnswer(calls=(("web_search", '{"query": "weather in Lisbon"}'),)),
    ),
    Recorded(
        "QwenLM/Qwen3#1575",
        test_qwen.FAMILIES["qwen3"],
        "<think>\n\n</think>\n\nHello! I'm a virtual assistant.",
        ParsedAnswer("Hello! I'm a virtual assistant."),
    ),
)


@pytest.mark.parametrize("recorded", RECORDED, ids=[recorded.source for recorded in RECORDED])
def test_recorded_texts_are_read(recorded: Recorded) -> None:
    adapter, tokenizer = recorded.family
    assert parse_answer(adapter, tokenizer, recorded.output, TOOLS) == recorded.expected
    assert parse_every_split(adapter, recorded.output, TOOLS) == {recorded.expected}
