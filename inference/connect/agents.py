"""Coding agents of the terminal."""

from inference.connect.client import ConnectableClient, SettingsBlock

AGENTS = (
    ConnectableClient(
        name="claude-code",
        title="Claude Code",
        section="Claude Code",
        dialect="messages",
        note="The URL has no /v1. Its first prompt has over 20,000 tokens. Start it with `claude`.",
        parts=(
            SettingsBlock(
                title="For one terminal",
                syntax="shell",
                text="""\
export ANTHROPIC_BASE_URL=<origin> ANTHROPIC_AUTH_TOKEN=<key> ANTHROPIC_API_KEY=
export ANTHROPIC_MODEL=<model> ANTHROPIC_DEFAULT_OPUS_MODEL=<model>
export ANTHROPIC_DEFAULT_SONNET_MODEL=<model> ANTHROPIC_DEFAULT_HAIKU_MODEL=<model>
export CLAUDE_CODE_MAX_CONTEXT_TOKENS=<context>
""",
            ),
            SettingsBlock(
                title="For good",
                syntax="json",
                path="~/.claude/settings.json",
                text="""\
{
  "env": {
    "ANTHROPIC_BASE_URL": <origin>,
    "ANTHROPIC_AUTH_TOKEN": <key>,
    "ANTHROPIC_API_KEY": "",
    "ANTHROPIC_MODEL": <model>,
    "ANTHROPIC_DEFAULT_OPUS_MODEL": <model>,
    "ANTHROPIC_DEFAULT_SONNET_MODEL": <model>,
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": <model>,
    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "<context>"
  }
}
""",
            ),
        ),
    ),
    ConnectableClient(
        name="codex",
        title="Codex",
        section="Codex",
        dialect="responses",
        note="Its first prompt has about 5,000 tokens. Start it with `codex`.",
        parts=(
            SettingsBlock(
                title="Its settings",
                syntax="toml",
                path="~/.codex/config.toml",
                text="""\
model = <model>
model_provider = "mlx"
model_context_window = <context>

[model_providers.mlx]
name = "mlx"
base_url = <base>
wire_api = "responses"
http_headers = { Authorization = <Bearer key> }
""",
            ),
        ),
    ),
    ConnectableClient(
        name="opencode",
        title="OpenCode",
        section="OpenCode",
        dialect="chat",
        note="Its first prompt has about 8,000 tokens. Start it with `opencode`.",
        parts=(
            SettingsBlock(
                title="Its settings",
                syntax="json",
                path="~/.config/opencode/opencode.json",
                text="""\
{
  "model": <mlx/model>,
  "provider": {
    "mlx": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "MLX",
      "options": { "baseURL": <base>, "apiKey": <key> },
      "models": {
        <model>: { "limit": { "context": <context>, "output": <answer> } }
      }
    }
  }
}
""",
            ),
        ),
    ),
    ConnectableClient(
        name="qwen-code",
        title="Qwen Code",
        section="Qwen Code",
        dialect="chat",
        note="Its first prompt has about 19,000 tokens. Start it with `qwen --auth-type openai`.",
        parts=(
            SettingsBlock(
                title="For one terminal",
                syntax="shell",
                text="""\
export OPENAI_BASE_URL=<base> OPENAI_API_KEY=<key> OPENAI_MODEL=<model>
""",
            ),
            SettingsBlock(
                title="For good",
                syntax="json",
                path="~/.qwen/settings.json",
                text="""\
{
  "security": { "auth": { "selectedType": "openai" } },
  "env": {
    "OPENAI_BASE_URL": <base>,
    "OPENAI_API_KEY": <key>,
    "OPENAI_MODEL": <model>
  },
  "model": { "name": <model> }
}
""",
            ),
        ),
    ),
    ConnectableClient(
        name="aider",
        title="aider",
        section="aider",
        dialect="chat",
        note="Start it with `aider`.",
        parts=(
            SettingsBlock(
                title="For one terminal",
                syntax="shell",
                text="""\
export OPENAI_API_BASE=<base> OPENAI_API_KEY=<key>
export AIDER_MODEL=<openai/model> AIDER_SHOW_MODEL_WARNINGS=false
""",
            ),
            SettingsBlock(
                title="For good",
                syntax="yaml",
                path="~/.aider.conf.yml",
                text="""\
model: <openai/model>
openai-api-base: <base>
openai-api-key: <key>
show-model-warnings: false
""",
            ),
            SettingsBlock(
                title="The context length",
                syntax="json",
                path="~/.aider.model.metadata.json",
                text="""\
{
  <openai/model>: {
    "max_input_tokens": <context>,
    "max_output_tokens": <answer>,
    "litellm_provider": "openai",
    "mode": "chat"
  }
}
""",
            ),
        ),
    ),
)
