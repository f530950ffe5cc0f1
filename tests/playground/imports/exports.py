"""Exports as other programs write them, with what is odd about them."""

from typing import Any

JUNE = 1_718_000_000.5


def node(key: str, parent: str | None, *children: str, **message: Any) -> dict[str, Any]:
    """A node of ChatGPT's tree; without fields it has no message."""
    return {"id": key, "parent": parent, "children": list(children), "message": message or None}


def said(role: str, *parts: Any, **fields: Any) -> dict[str, Any]:
    kind = "text" if all(isinstance(part, str) for part in parts) else "multimodal_text"
    return {
        "author": {"role": role, "name": None, "metadata": {}},
        "content": {"content_type": kind, "parts": list(parts)},
        "create_time": JUNE,
        "status": "finished_successfully",
        "recipient": "all",
        "metadata": {},
    } | fields


def chatgpt(**fields: Any) -> dict[str, Any]:
    """A chat with a regenerated answer, of which the first is shown."""
    nodes = [
        node("root", None, "sys"),
        node("sys", "root", "hidden", **said("system", "")),
        node(
            "hidden",
            "sys",
            "q1",
            **said("user", "profile", metadata={"is_visually_hidden_from_conversation": True}),
        ),
        node("q1", "hidden", "a1", "a2", **said("user", "What is tea?")),
        node("a1", "q1", **said("assistant", "A drink.", metadata={"model_slug": "gpt-4o"})),
        node("a2", "q1", "q2", **said("assistant", "Leaves.", metadata={"model_slug": "gpt-4"})),
        node("q2", "a2", "a3", **said("user", "And coffee?")),
        node("a3", "q2", **said("assistant", "Beans.", status="in_progress")),
    ]
    return {
        "title": "Tea",
        "create_time": JUNE,
        "update_time": JUNE + 60,
        "mapping": {one["id"]: one for one in nodes},
        "current_node": "a1",
        "conversation_id": "c-1",
        "is_starred": True,
    } | fields


def chatgpt_with_tools() -> dict[str, Any]:
    """A chat with a picture, thoughts, and code that a tool ran."""
    picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://x", "size_bytes": 1}
    code = {"content_type": "code", "language": "python", "text": "print(1)"}
    output = {"content_type": "execution_output", "text": "1\n"}
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "Plan", "content": "I run it."}]}
    recap = {"content_type": "reasoning_recap", "content": "Thought for 3 s"}
    nodes = [
        node("root", None, "q"),
        node("q", "root", "t", **said("user", picture, "Run this")),
        node("t", "q", "r", **said("assistant", content=thoughts)),
        node("r", "t", "c", **said("assistant", content=recap)),
        node("c", "r", "o", **said("assistant", content=code, recipient="python")),
        node("o", "c", "a", **said("tool", content=output)),
        node("a", "o", **said("assistant", "It printed 1.")),
    ]
    return chatgpt(
        title="Run", mapping={one["id"]: one for one in nodes}, current_node="o", conversation_id="c-2"
    )


def open_webui(**fields: Any) -> dict[str, Any]:
    """A chat of Open WebUI with reasoning, a tool call, a file and two branches."""
    thoughts = (
        '<details type="reasoning" done="true" duration="2">\n<summary>Thought for 2 seconds</summary>\n'
        "&gt; Let me see.\n&gt; Yes.\n</details>\n"
    )
    tool = (
        '<details type="tool_calls" done="true" id="call_1" name="get_time" '
        'arguments="{&quot;zone&quot;: &quot;UTC&quot;}" result="&quot;noon&quot;">\n'
        "<summary>Tool Executed</summary>\n</details>\n"
    )
    file = {"type": "file", "name": "notes.txt", "file": {"data": {"content": "My notes."}}}
    picture = {"type": "image", "url": "data:image/png;base64,x"}
    messages = {
        "u1": {"id": "u1", "parentId": None, "childrenIds": ["b1", "b2"], "role": "user",
               "content": "What time?", "timestamp": 1718000000, "files": [file, picture]},
        "b1": {"id": "b1", "parentId": "u1", "childrenIds": [], "role": "assistant", "done": True,
               "content": f"{thoughts}{tool}It is noon.", "model": "llama3", "timestamp": 1718000005},
        "b2": {"id": "b2", "parentId": "u1", "childrenIds": [], "role": "assistant", "done": False,
               "content": "It", "model": "qwen3", "timestamp": 1718000006},
    }  # fmt: skip
    history = {"messages": messages, "currentId": "b1"}
    chat = {"title": "Time", "models": ["llama3"], "params": {"system": "Be brief."}, "history": history}
    return {
        "id": "w-1",
        "user_id": "u",
        "title": "Time",
        "chat": chat,
        "created_at": 1718000000,
        "updated_at": 1718000100,
        "archived": False,
        "pinned": True,
        "folder_id": None,
    } | fields


def librechat(**fields: Any) -> dict[str, Any]:
    """A chat of LibreChat as a list of messages, the newer branch last."""
    root = "00000000-0000-0000-0000-000000000000"
    parts = [
        {"type": "think", "think": "Hm."},
        {"type": "text", "text": {"value": "Blue."}},
        {"type": "tool_call", "tool_call": {"id": "t1", "name": "look", "args": "{}", "output": "sky"}},
    ]
    messages = [
        {"messageId": "m1", "parentMessageId": root, "isCreatedByUser": True, "sender": "User",
         "text": "Colour?", "createdAt": "2024-06-10T06:13:20.000Z"},
        {"messageId": "m2", "parentMessageId": "m1", "isCreatedByUser": False, "sender": "GPT-4",
         "text": "Grey.", "model": "gpt-4", "createdAt": "2024-06-10T06:13:25.000Z"},
        {"messageId": "m3", "parentMessageId": "m1", "isCreatedByUser": False, "sender": "Claude", "text": "",
         "content": parts, "model": "claude-3", "createdAt": "2024-06-10T06:14:00.000Z", "unfinished": True},
    ]  # fmt: skip
    return {
        "conversationId": "l-1",
        "endpoint": "openAI",
        "title": "Colours",
        "exportAt": "Mon Jun 10 2024",
        "branches": True,
        "recursive": False,
        "options": {"model": "gpt-4", "promptPrefix": "Be kind."},
        "messages": messages,
    } | fields


def librechat_tree() -> dict[str, Any]:
    """The same chat as a tree."""
    chat = librechat()
    first, *answers = chat.pop("messages")
    return chat | {"recursive": True, "messagesTree": [{**first, "children": answers}]}
