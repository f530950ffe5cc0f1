"""Clients that a program uses: the official packages, and curl."""

from inference.connect.client import ConnectableClient, SettingsBlock

PROGRAMS = (
    ConnectableClient(
        name="openai-python",
        title="OpenAI for Python",
        section="OpenAI's clients",
        dialect="chat",
        parts=(
            SettingsBlock(
                title="A program (pip install openai)",
                syntax="python",
                text="""\
from openai import OpenAI

client = OpenAI(base_url=<base>, api_key=<key>)
answer = client.chat.completions.create(
    model=<model>, messages=[{"role": "user", "content": "Hello"}]
)
print(answer.choices[0].message.content)
""",
            ),
        ),
    ),
    ConnectableClient(
        name="openai-node",
        title="OpenAI for Node",
        section="OpenAI's clients",
        dialect="chat",
        parts=(
            SettingsBlock(
                title="A program (npm install openai)",
                syntax="javascript",
                text="""\
import OpenAI from "openai";

const client = new OpenAI({ baseURL: <base>, apiKey: <key> });
const answer = await client.chat.completions.create({
  model: <model>,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);
""",
            ),
        ),
    ),
    ConnectableClient(
        name="anthropic-python",
        title="Anthropic for Python",
        section="Anthropic's clients",
        dialect="messages",
        parts=(
            SettingsBlock(
                title="A program (pip install anthropic)",
                syntax="python",
                text="""\
from anthropic import Anthropic

client = Anthropic(base_url=<origin>, api_key=<key>)
message = client.messages.create(
    model=<model>, max_tokens=64, messages=[{"role": "user", "content": "Hello"}]
)
print(message.content[0].text)
""",
            ),
        ),
    ),
    ConnectableClient(
        name="curl",
        title="curl",
        section="curl",
        dialect="chat",
        parts=(
            SettingsBlock(
                title="A command",
                syntax="shell",
                text="""\
curl -s <base>/chat/completions \\
  -H <Authorization: Bearer key> -H 'Content-Type: application/json' \\
  -d '{"model": <model:quoted>, "messages": [{"role": "user", "content": "Hello"}]}'
""",
            ),
        ),
    ),
)
