"""Titles as plain text: without Markdown, quotes and remarks around them, and cut between words."""

import json
import re

LONGEST = 60
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_THOUGHTS = re.compile(r"<(think|thinking|reasoning|thought)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_END_OF_THOUGHTS = re.compile(r"\A.*</(?:think|thinking|reasoning|thought)>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"^\s*(?:```|~~~)[\w+-]*\s*$", re.MULTILINE)
_JSON_TITLE = re.compile(r'\A\s*[{\[]\s*(?:"[\w ]*"\s*:\s*)?"((?:[^"\\]|\\.)*)')
_TAG = re.compile(r"</?(?:b|i|em|strong|title|u|p|br|h[1-6]|span|mark|code)\s*/?>", re.IGNORECASE)
_WORDS_FOR_TITLE = r"title|titel|titre|título|titolo|tytuł|заголовок|название|标题|標題|タイトル|제목"
_PREFIX = re.compile(
    r"(?:(?:sure|certainly|of course|okay|ok)\b[,!.]?\s*)?"
    r"(?:here(?:['’]s| is| are)\b[^:：\n]{0,60}"
    r"\b(?:titles?|names?|options?|suggestions?|headlines?)\b[^:：\n]{0,60}"
    r"|(?:(?:the|a|my|chat|conversation|suggested|proposed|possible|short) ){0,3}"
    rf"(?:{_WORDS_FOR_TITLE})(?: (?:of|for) [\w ]{{1,40}})?)\s*[:：]\s*",
    re.IGNORECASE,
)
_BLOCK_MARK = re.compile(r"\A(?:#{1,6}\s+|>\s+|[-*+•]\s+|1[.)]\s+)+")
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)")
_EMPHASIS = re.compile(
    r"(?<![\w*])(\*{1,3})(?=[^\s*])(.+?)(?<=[^\s*])\1(?![\w*])"
    r"|(~~)(?=\S)(.+?)(?<=\S)~~"
    r"|(?<!\w)(_{1,3})(?=[^\s_])(.+?)(?<=[^\s_])\5(?!\w)"
)
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_PAIRS = {
    '"': '"',
    "'": "'",
    "“": "”",
    "„": "“”",
    "‘": "’",
    "‚": "‘’",
    "«": "»",
    "»": "«",
    "‹": "›",
    "「": "」",
    "『": "』",
    "*": "*",
}
_CLUSTER_PARTS = re.compile(
    "[\u0300-\u036f\u200d\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"
)


def plain_title(generated: str) -> str:
    """The title in what a model wrote; empty where there is none.

    1. Drop thoughts, and take the text of a JSON answer.
    2. Take the first line that is a title, without its Markdown and a prefix as "Title:".
    3. Remove quotes around all of it and a full stop after it. Quotes inside stay.
    """
    text = _END_OF_THOUGHTS.sub("", _THOUGHTS.sub("", generated))
    text = _text_of_json(_FENCE.sub("", text))
    for line in text.splitlines():
        if title := _plain_line(line):
            return cut_title(title)
    return ""


def title_of(question: str) -> str:
    """The beginning of a conversation's first question, cut at a word, without its Markdown."""
    return cut_title(_without_marks(" ".join(_FENCE.sub("", question).split())) or " ".join(question.split()))


def cut_title(text: str) -> str:
    """At most LONGEST characters, cut between words, else between characters; never inside of a number."""
    text = " ".join(_INVISIBLE.sub("", text).split())
    if len(text) <= LONGEST:
        return text
    end = LONGEST if text[LONGEST] == " " else text.rfind(" ", 0, LONGEST)
    while end > 0 and text[end - 1].isdigit() and text[end + 1 : end + 2].isdigit():  # 10 000 000
        end = text.rfind(" ", 0, end)
    if end < LONGEST // 3:
        end = _end_in_word(text)
    return f"{text[:end].rstrip(' ,;:–—-([{/&')}…"


def _end_in_word(text: str) -> int:
    """Where text without blanks is cut: not inside of a number, a Latin word, or a sequence."""
    end = LONGEST
    while end > LONGEST // 3 and _is_inside(text, end):
        end -= 1
    if end > LONGEST // 3:
        return end
    end = LONGEST  # one long run
    while end > 1 and _is_in_cluster(text, end):
        end -= 1
    return end


def _is_inside(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    is_number = (
        (before.isdigit() or before in ".,") and after.isdigit() or before.isdigit() and after in ".,%"
    )
    is_word = before.isascii() and after.isascii() and before.isalnum() and after.isalnum()
    return is_number or is_word or _is_in_cluster(text, at)


def _is_in_cluster(text: str, at: int) -> bool:
    if _CLUSTER_PARTS.match(text[at]) or text[at - 1] == "\u200d":
        return True
    flags = len(re.search("[\U0001f1e6-\U0001f1ff]*\\Z", text[:at])[0])  # type: ignore[index]  # may be empty
    return flags % 2 == 1 and "\U0001f1e6" <= text[at] <= "\U0001f1ff"


def _text_of_json(text: str) -> str:
    stripped = text.strip()
    if not stripped.startswith(("{", "[", '"')):
        return text
    try:
        value = json.loads(stripped)
    except ValueError:
        cut_off = _JSON_TITLE.match(stripped)
        return cut_off[1].replace('\\"', '"') if cut_off else text
    while isinstance(value, dict | list) and value:
        value = value.get("title", next(iter(value.values()))) if isinstance(value, dict) else value[0]
    return value if isinstance(value, str) else text


def _plain_line(line: str) -> str:
    before, line = None, " ".join(_INVISIBLE.sub("", line).split())
    while line != before:
        before = line
        line = _without_marks(line)
        if prefix := _PREFIX.match(line):
            line = line[prefix.end() :]
        line = _without_end(_unquoted(line))
    return "" if not any(char.isalnum() or ord(char) > 0x2000 for char in line) else line


def _without_marks(line: str) -> str:
    """The line without the marks of Markdown that have a partner; `**kwargs` and `__init__` stay."""
    codes: list[str] = []

    def keep(code: "re.Match[str]") -> str:
        codes.append(code[2].strip())
        return f"\ue000{len(codes) - 1}\ue001"

    line = _TAG.sub("", _CODE.sub(keep, _BLOCK_MARK.sub("", line)))
    before = None
    while line != before:
        before = line
        line = _EMPHASIS.sub(_inner, _LINK.sub(r"\1", line))
    return re.sub("\ue000(\\d+)\ue001", lambda place: codes[int(place[1])], line).strip()


def _inner(emphasis: "re.Match[str]") -> str:
    inner = emphasis[2] or emphasis[4] or emphasis[6]
    is_name = emphasis[5] and _IDENTIFIER.fullmatch(inner)
    return emphasis[0] if is_name else str(inner)


def _unquoted(line: str) -> str:
    """Without a pair of quotes around all of it, and without one that lost its partner."""
    while len(line) > 1 and line[-1] in _PAIRS.get(line[0], "") and _is_pair(line):
        line = line[1:-1].strip()
    if line.count('"') == 1 and (line[0] == '"' or (line[-1] == '"' and not line[-2:-1].isdigit())):
        line = line.strip('"').strip()
    if line[:1] in set("“„«「『") and not any(char in line for char in _PAIRS[line[0]]):
        line = line[1:].strip()
    return (
        line.strip("*").strip()
        if line.strip("*") and line.count("*") == 2 and line.startswith("**")
        else line
    )


def _is_pair(line: str) -> bool:
    """Whether the first and the last quote belong together: `"Fix" and "Break"` are two pairs."""
    opening, closing = line[0], line[-1]
    depth = 0
    for at, char in enumerate(line):
        if char not in (opening, closing):
            continue
        before, after = line[at - 1 : at], line[at + 1 : at + 2]
        if before.isalnum() and after.isalnum():  # an apostrophe
            continue
        is_opening = char == opening and (opening != closing or not before or before in " ([{" or depth == 0)
        depth += 1 if is_opening else -1
        if depth == 0:
            return at == len(line) - 1
    return False


def _without_end(line: str) -> str:
    """Without a full stop or colon at its end; `U.S.` and an ellipsis stay."""
    last = line.rpartition(" ")[2]
    if line.endswith(".") and "." not in last[:-1] and last not in {"etc.", "Inc.", "Ltd.", "vs."}:
        return line[:-1].rstrip()
    return line.rstrip(" ,;:：。") if line[-1:] in set(",;:：。") else line
