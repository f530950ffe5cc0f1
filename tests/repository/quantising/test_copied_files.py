from pathlib import Path

from inference.repository.quantising.copied_files import copied_files

KEPT = [
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "vocab.txt", "merges.txt"),
    *("special_tokens_map.json", "generation_config.json", "chat_template.jinja", "chat_template.json"),
    *("LICENSE", "LICENSE.md", "NOTICE", "README.md", "USE_POLICY.md"),
]
LEFT_OUT = [
    *("model.safetensors", "model-00001-of-00002.safetensors", "model.safetensors.index.json"),
    *("pytorch_model.bin", "pytorch_model.bin.index.json", "model.gguf", "consolidated.00.pth"),
    *("config.json", "modeling_x.py", "quantisation.json", ".gitattributes"),
]


def test_small_files_are_copied_and_weights_and_code_are_not(tmp_path: Path) -> None:
    for name in (*KEPT, *LEFT_OUT):
        (tmp_path / name).touch()
    assert {path.name for path in copied_files(tmp_path)} == set(KEPT)


def test_named_templates_are_copied_and_adapters_are_not(tmp_path: Path) -> None:
    for name in ("additional_chat_templates/tool_use.jinja", "adapters/x/adapter_config.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    paths = [str(path.relative_to(tmp_path)) for path in copied_files(tmp_path)]
    assert paths == ["additional_chat_templates/tool_use.jinja"]


def test_links_to_files_are_followed_as_the_hubs_cache_has_them(tmp_path: Path) -> None:
    blob = tmp_path / "blob"
    blob.write_text("{}")
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "tokenizer.json").symlink_to(blob)
    (folder / "gone.json").symlink_to(tmp_path / "nowhere")
    assert [path.name for path in copied_files(folder)] == ["tokenizer.json"]
