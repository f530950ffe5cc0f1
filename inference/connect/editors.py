"""Editors, and extensions of editors."""

from inference.connect.client import ConnectableClient, SettingsBlock

EDITORS = (
    ConnectableClient(
        name="continue",
        title="Continue",
        section="Continue",
        dialect="chat",
        parts=(
            SettingsBlock(
                title="Its settings",
                syntax="yaml",
                path="~/.continue/config.yaml",
                keeps=("name", "version", "schema"),
                text="""\
name: MLX
version: 1.0.0
schema: v1
models:
  - name: <model>
    provider: openai
    model: <model>
    apiBase: <base>
    apiKey: <key>
    roles: [chat]
    capabilities: [tool_use]
    defaultCompletionOptions: { contextLength: <context> }
""",
            ),
        ),
    ),
    ConnectableClient(
        name="zed",
        title="Zed",
        section="Zed",
        dialect="chat",
        note="Zed does not store keys in its settings: enter the key in its panel of providers, or start it "
        "from a terminal with the variable.",
        parts=(
            SettingsBlock(
                title="Its settings",
                syntax="json",
                path="~/.config/zed/settings.json",
                text="""\
{
  "language_models": {
    "openai_compatible": {
      "mlx": {
        "api_url": <base>,
        "available_models": [
          { "name": <model>, "max_tokens": <context>, "max_output_tokens": <answer>,
            "capabilities": { "tools": true, "images": <sees>,
                              "parallel_tool_calls": false, "prompt_cache_key": false } }
        ]
      }
    }
  },
  "agent": { "default_model": { "provider": "mlx", "model": <model> } }
}
""",
            ),
            SettingsBlock(
                title="The key, in the terminal", syntax="shell", text="export MLX_API_KEY=<key>\nzed\n"
            ),
        ),
    ),
)
