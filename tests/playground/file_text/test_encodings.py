"""Text in the encodings that people's files have."""

import codecs

import pytest

from playground.file_text.encodings import decode
from playground.file_text.limits import NoText
from tests.each import each

GERMAN = "Der Käse schmeckt gut, naïve Gäste im Café à Zürich.\n"
JAPANESE = "これは日本語の文書です。表示を確認します。\n"
CHINESE = "这是一个中文文件，用来测试编码。\n"
TRADITIONAL = "這是一個中文檔案，用來測試編碼的結果。\n"
KOREAN = "이것은 한국어 문서입니다. 인코딩을 확인합니다.\n"
RUSSIAN = "Привет, это русский текст для проверки кодировки.\n"


@each(
    ("text", "encoding"),
    [
        ("plain", "ascii"),
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-32"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "latin-1"),
        (GERMAN, "cp1252"),
        ("café", "cp1252"),
        ("Preis: 5 €, „gut“ – ja", "cp1252"),
        ("Año nuevo: ¿qué tal? ¡Señor!", "latin-1"),
        ("name;größe\nMüller;12 µm\n", "cp1252"),
        (JAPANESE, "shift_jis"),
        ("日本語", "shift_jis"),
        (JAPANESE, "euc_jp"),
        ("def f():\n    # これはコメントです\n    return 1\n", "cp932"),
        (CHINESE, "gb18030"),
        ("int main() { // 返回零\n return 0; }\n", "gb18030"),
        ("中文", "gbk"),
        (TRADITIONAL, "big5"),
        (KOREAN, "euc_kr"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (JAPANESE, "iso2022_jp"),
        ("Şu ılık günlerde çağrı yapıyoruz, İstanbul güzel.\n", "cp1254"),
        ("สวัสดีครับ วันนี้อากาศดีมาก\n", "cp874"),
        (JAPANESE * 5000, "shift_jis"),
        (CHINESE * 5000, "gb18030"),
    ],
)
def test_a_text_is_read_in_its_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding))[0] == text


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_a_mark_tells_the_order_of_bytes(mark: bytes) -> None:
    encoding = "utf-16-be" if len(mark) == 2 else "utf-32-be"
    assert decode(mark + GERMAN.encode(encoding))[0] == GERMAN


def test_a_broken_character_makes_utf_8_no_other_encoding() -> None:
    assert decode(f"{GERMAN}ü".encode()[:-1])[0] == f"{GERMAN}\ufffd"
    assert decode(f"{GERMAN}".encode() + b"\xff" + RUSSIAN.encode())[0] == f"{GERMAN}\ufffd{RUSSIAN}"
    assert decode("é".encode("latin-1") * 3)[1] != "utf-8"


def test_line_ends_become_line_feeds() -> None:
    assert decode(b"one\r\ntwo\rthree\n")[0] == "one\ntwo\nthree\n"


def test_a_log_with_a_few_control_characters_is_text() -> None:
    assert decode(b"line of a log\n" * 100 + b"\x1b[31mred\x1b[0m\x08\n")[0].endswith("\x1b[31mred\x1b[0m\n")


@each("content", [bytes(range(256)) * 4, b"\0\1\2\3" * 50, b"\x7fELF\x02\x01\x01\0" + b"\0\x90\x05" * 90])
def test_what_is_no_text_is_named(content: bytes) -> None:
    with pytest.raises(NoText, match="not a text file"):
        decode(content)
