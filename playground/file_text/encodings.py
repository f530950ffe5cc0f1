"""Text in any encoding: a mark decides, then UTF-8, then what the bytes are like."""

import codecs
import re
from collections.abc import Iterator

from charset_normalizer import from_bytes

from playground.file_text.limits import NoText

NOT_TEXT = "It is not a text file."
_MARKS = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSED = [
    "cp932",
    "gb18030",
    "euc_jp",
    "euc_kr",
    "big5",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1255",
    "cp1256",
    "cp1250",
]
_SAMPLE = 64 * 1024
# What no text has: control characters beyond tabs, line ends, form feeds and escapes of terminals.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
_MOST_CONTROL = 0.002  # of the characters: logs hold some
# The letters and signs beyond ASCII of western European languages, in at most pairs between ASCII letters.
_WESTERN = (
    "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŸ€‚„…‰‹‘’“”•–—™›\u00a0¡£§©ª«®°±²³´µ·º»¼½¾¿×÷¥¢"
)
_WESTERN_TEXT = re.compile(rf"(?:[\x00-\x7f]|(?<![{_WESTERN}]{{2}})[{_WESTERN}])*")
_SIGN_IN_WORD = re.compile(r"[a-zA-Z][¡£§©ª®±²³´µº¼½¾¿×÷¥¢][a-z]")
_SHIFTS_OF_JIS = re.compile(rb"\x1b\$[@B]")  # into the signs of ISO-2022-JP, as in e-mails
_TURKISH = re.compile(rb"[\x00-\x7f\xc2\xc7\xce\xd0\xd6\xdc-\xde\xe2\xe7\xee\xf0\xf6\xfc-\xfe]*")
_DOTLESS_I = b"\xfd"
_THAI = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xda\xdf-\xfb](?![@-~]))*")  # which ASCII letters end in Big5
_MOST_BROKEN = 0.02  # of the characters beyond ASCII
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_COMMON_GB2312 = re.compile(rb"(?:[\x00-\x7f]|[\xa1-\xa3\xb0-\xd7][\xa1-\xfe])*")


def decode(content: bytes) -> tuple[str, str]:
    """The text, with line feeds as line ends, and its encoding; raises NoText for what is none."""
    for encoding in _candidates(content):
        try:
            text = content.decode(encoding, _errors(content, encoding))
        except (UnicodeError, LookupError):
            continue
        if len(_CONTROL.findall(text)) <= _MOST_CONTROL * len(text):
            return _CONTROL.sub("", text).replace("\r\n", "\n").replace("\r", "\n"), encoding
    raise NoText(NOT_TEXT)


def _errors(content: bytes, encoding: str) -> str:
    """A broken character, as at the end of a file that was cut, makes UTF-8 no other encoding."""
    if encoding != "utf-8" or _decodes(content, encoding):
        return "strict"
    beyond = _BEYOND_ASCII.findall(content.decode(errors="replace"))
    broken = beyond.count("\ufffd")
    is_utf_8 = 2 * broken < len(beyond) and broken <= max(1, _MOST_BROKEN * len(beyond))
    return "replace" if is_utf_8 else "strict"


def _candidates(content: bytes) -> Iterator[str]:
    """Encodings to be tried, the likeliest first; an encoding that is no mark's may be wrong."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            yield encoding
            return
    if b"\0" in content[:_SAMPLE]:
        yield from _without_mark(content[:_SAMPLE])
        return
    if _SHIFTS_OF_JIS.search(content[:_SAMPLE]):
        yield "iso2022_jp"
    yield "utf-8"
    if _is_western(content):
        yield "cp1252"
    if guess := _guess(_sample(content)):
        yield guess
    yield "cp1252"


def _without_mark(sample: bytes) -> Iterator[str]:
    """UTF-16 whose mark is missing has its zeros in one place of each pair: that of the high byte."""
    zeros = [sample[place::2].count(0) for place in (0, 1)]
    if max(zeros) > 0.3 * len(sample) / 2 and min(zeros) <= 0.02 * max(zeros):
        yield "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _is_western(content: bytes) -> bool:
    try:
        text = content[:_SAMPLE].decode("cp1252")
    except UnicodeError:
        return False
    others = sum(not char.isascii() for char in text)
    is_sparse = others <= 0.4 * len(text)
    return is_sparse and bool(_WESTERN_TEXT.fullmatch(text)) and not _SIGN_IN_WORD.search(text)


def _guess(sample: bytes) -> str:
    """The encoding of the sample by its statistics, corrected where short texts are mistaken."""
    found = from_bytes(sample, cp_isolation=_GUESSED).best()
    guess = found.encoding if found else ""
    if _DOTLESS_I in sample and _TURKISH.fullmatch(sample):
        return "cp1254"
    if guess in {"big5", "cp932"} and _THAI.fullmatch(sample) and not _COMMON_GB2312.fullmatch(sample):
        return "cp874"
    if guess in {"big5", "cp932"} and _COMMON_GB2312.fullmatch(sample):
        return "gb18030"
    if guess == "cp932" and not re.search("[\u3040-\u30ff]", str(found)) and _decodes(sample, "big5"):
        return "big5"
    return guess


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _sample(content: bytes) -> bytes:
    """The beginning of the content; a long one ends with a line, and so not within a character."""
    if len(content) <= _SAMPLE:
        return content
    sample = content[:_SAMPLE]
    return sample[: sample.rfind(b"\n") + 1] or sample
