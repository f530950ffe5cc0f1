"""Apps that are set up in their own pages, or when they are started."""

from inference.connect.client import ConnectableClient, SettingsBlock

APPS = (
    ConnectableClient(
        name="open-webui",
        title="Open WebUI",
        section="Open WebUI",
        dialect="chat",
        note="It reads these variables at its first start; later the same is under Admin Panel, Settings, "
        "Connections.",
        parts=(
            SettingsBlock(
                title="A command",
                syntax="shell",
                text="""\
docker run -d -p 3000:8080 --add-host host.docker.internal:host-gateway \\
  -e OPENAI_API_BASE_URL=<container> -e OPENAI_API_KEY=<key> \\
  -e DEFAULT_MODELS=<model> \\
  -v open-webui:/app/backend/data ghcr.io/open-webui/open-webui:main
""",
            ),
        ),
    ),
    ConnectableClient(
        name="obsidian",
        title="Obsidian (Copilot)",
        section="Obsidian (Copilot)",
        dialect="chat",
        note="With CORS enabled, nothing else is needed. Without it, add `app://obsidian.md` to "
        "MLX_SERVER_ALLOWED_ORIGINS.",
        parts=(
            SettingsBlock(
                title="Settings, Copilot, Model, Add Custom Model",
                syntax="text",
                text="""\
Model Name      <model>
Provider        3rd party (openai-format)
Base URL        <base>
API Key         <key>
Token limit     <answer>
Enable CORS     on
""",
            ),
        ),
    ),
)
