"""Tables, lists, footnotes, emphasis and other Markdown, in the notation of `rendering.js`."""

CASES = [
    (
        "| cmd | what |\n|---|---|\n| `ls | wc -l` | counts |\n| `a || b` | or |",
        "<table><tr><th>cmd</th> <th>what</th></tr>  <tr><td><code>ls | wc -l</code></td> <td>count"
        "s</td></tr> <tr><td><code>a || b</code></td> <td>or</td></tr></table>",
    ),
    (
        "| a | b | c |\n|---|---|---|\n| `x|y` | `z|w` | last words |",
        "<table><tr><th>a</th> <th>b</th> <th>c</th></tr>  <tr><td><code>x|y</code></td> <td><code>"
        "z|w</code></td> <td>last words</td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| `a\\|b` | c |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td><code>a|b</code></td> <td>c</td></tr></table>",
    ),
    (
        "| type |\n|---|\n| `str | None` |",
        "<table><tr><th>type</th></tr>  <tr><td><code>str | None</code></td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| x | y<br>z |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td>x</td> <td>y<br>z</td></tr></table>",
    ),
    (
        "|a|b|\n|-|-|\n|1|2|\n\nafter",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td>1</td> <td>2</td></tr></table><p>after</p>",
    ),
    (
        "**“引用”**、**《书名》**和**（括号）**。",
        "<p><strong>“引用”</strong>、<strong>《书名》</strong>和<strong>（括号）</strong>。</p>",
    ),
    (
        "他说：**“你好！”**然后走了。*“斜”*体",
        "<p>他说：<strong>“你好！”</strong>然后走了。<em>“斜”</em>体</p>",
    ),
    ("**重要**：内容**（注）**后", "<p><strong>重要</strong>：内容<strong>（注）</strong>后</p>"),
    ("テスト**「これ」**は*「それ」*。", "<p>テスト<strong>「これ」</strong>は<em>「それ」</em>。</p>"),
    (
        "- **要点：**说明\n- **第二，**继续",
        "<ul><li><strong>要点：</strong>说明</li> <li><strong>第二，</strong>继续</li></ul>",
    ),
    (
        "Steps:\n1. **Open** the `file`\n2. *Close* it\n   - nested **b**\n\nEnd",
        "<p>Steps:</p><ol><li><strong>Open</strong> the <code>file</code></li> <li><em>Close</em> i"
        "t<ul><li>nested <strong>b</strong></li></ul></li></ol><p>End</p>",
    ),
    (
        "* **Bold:** text\n* *Em*: text",
        "<ul><li><strong>Bold:</strong> text</li> <li><em>Em</em>: text</li></ul>",
    ),
    ("Line with trailing backslash\\\nnext", "<p>Line with trailing backslash<br>next</p>"),
    (
        "- [x] ~~done~~\n- [ ] [link](https://x.test/)",
        "<ul><li>☑ <del>done</del></li> <li>☐ <a https://x.test/>link</a></li></ul>",
    ),
    (
        "A[^a] B[^b]\n\n[^b]: second\n[^a]: first",
        "<p>A<sup><a #note-1>1</a></sup> B<sup><a #note-2>2</a></sup></p><section><ol><li><p>first "
        "<a #note-from-1>↩</a></p></li><li><p>second <a #note-from-2>↩</a></p></li></ol></section>",
    ),
    (
        "Note[^long].\n\n[^long]: With `code`:\n\n    ```js\n    x\n    ```",
        "<p>Note<sup><a #note-1>1</a></sup>.</p><section><ol><li><p>With <code>code</code>:</p> <pr"
        "e js>x</pre> <a #note-from-1>↩</a></li></ol></section>",
    ),
    (
        "Ref[^x][^y].\n\n[^x]: one\n[^y]: two",
        "<p>Ref<sup><a #note-1>1</a></sup><sup><a #note-2>2</a></sup>.</p><section><ol><li><p>one <"
        "a #note-from-1>↩</a></p></li><li><p>two <a #note-from-2>↩</a></p></li></ol></section>",
    ),
    ("~~one~~ ~two~ 5~6~7 and ~/path ~/other", "<p><del>one</del> ~two~ 5~6~7 and ~/path ~/other</p>"),
    ("10~20分钟，30~40分钟，~~旧~~", "<p>10~20分钟，30~40分钟，<del>旧</del></p>"),
    (
        "1. one\n\n   para\n\n   > quote\n2. two",
        "<ol><li><p>one</p> <p>para</p> <blockquote><p>quote</p></blockquote></li> <li><p>two</p></li></ol>",
    ),
    (
        "Text *with _nested_ emphasis* and **bold _em_**.",
        "<p>Text <em>with <em>nested</em> emphasis</em> and <strong>bold <em>em</em></strong>.</p>",
    ),
    (
        "5 < 6 && 7 > 2; a<b>c</b>; List<String>; <T>",
        "<p>5 &lt; 6 &amp;&amp; 7 &gt; 2; a&lt;b&gt;c&lt;/b&gt;; List&lt;String&gt;; &lt;T&gt;</p>",
    ),
    ("Use <kbd>Ctrl</kbd>+<kbd>C</kbd>", "<p>Use <kbd>Ctrl</kbd>+<kbd>C</kbd></p>"),
    (
        "| a | b |\n|---|---|\n| `x|y` | last |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td><code>x|y</code></td> <td>last</td></tr></table>",
    ),
    (
        "| `a|b` | c |\n|---|---|\n| 1 | 2 |",
        "<table><tr><th><code>a|b</code></th> <th>c</th></tr>  <tr><td>1</td> <td>2</td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| ``x||y`` | `|` |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td><code>x||y</code></td> <td><code>|</code></"
        "td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| $|x|$ | \\(|y|\\) |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td><m>|x|</m></td> <td><m>|y|</m></td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| 1 | 2 | 3 | 4 |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td>1</td> <td>2 | 3 | 4</td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| x \\| y | z |",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td>x | y</td> <td>z</td></tr></table>",
    ),
    (
        "| a | b | c |\n|:--|:-:|--:|\n| 1 |",
        "<table><tr><th left>a</th> <th center>b</th> <th right>c</th></tr>  <tr><td left>1</td> <t"
        "d center></td> <td right></td></tr></table>",
    ),
    (
        "a | b\n--|--\n1 | 2\n\nText",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td>1</td> <td>2</td></tr></table><p>Text</p>",
    ),
    (
        "Text\n| a |\n|---|\n| 1 |\nlast",
        "<p>Text</p><table><tr><th>a</th></tr>  <tr><td>1</td></tr> <tr><td>last</td></tr></table>",
    ),
    (
        "| a | b |\n|---|---|\n| **x** | ~~y~~ |\n\n# After",
        "<table><tr><th>a</th> <th>b</th></tr>  <tr><td><strong>x</strong></td> <td><del>y</del></t"
        "d></tr></table><h1>After</h1>",
    ),
    (
        "- item\n\n  | a | b |\n  |---|---|\n  | `x|y` | 1 |",
        "<ul><li><p>item</p> <table><tr><th>a</th> <th>b</th></tr>  <tr><td><code>x|y</code></td> <"
        "td>1</td></tr></table></li></ul>",
    ),
    (
        "| ` | `` |\n|---|---|\n| a | b |",
        "<table><tr><th>`</th> <th>``</th></tr>  <tr><td>a</td> <td>b</td></tr></table>",
    ),
    (
        "Text[^1] and more[^b].\n\n[^1]: The note.\n[^b]: Other *note*.\n\nEnd.",
        "<p>Text<sup><a #note-1>1</a></sup> and more<sup><a #note-2>2</a></sup>.</p><p>End.</p><sec"
        "tion><ol><li><p>The note. <a #note-from-1>↩</a></p></li><li><p>Other <em>note</em>. <a #no"
        "te-from-2>↩</a></p></li></ol></section>",
    ),
    (
        "Twice[^1] and[^1].\n\n[^1]: Note",
        "<p>Twice<sup><a #note-1>1</a></sup> and<sup><a #note-1>1</a></sup>.</p><section><ol><li><p"
        ">Note <a #note-from-1>↩</a></p></li></ol></section>",
    ),
    ("No such[^2] note, `[^1]` code.\n\n[^1]: Unused", "<p>No such[^2] note, <code>[^1]</code> code.</p>"),
    (
        "Long[^n].\n\n[^n]: First.\n\n    Second.\n\nAfter.",
        "<p>Long<sup><a #note-1>1</a></sup>.</p><p>After.</p><section><ol><li><p>First.</p> <p>Seco"
        "nd. <a #note-from-1>↩</a></p></li></ol></section>",
    ),
    (
        "[^1] first\n\n[^1]: `code|x` and $x$",
        "<p><sup><a #note-1>1</a></sup> first</p><section><ol><li><p><code>code|x</code> and <m>x</"
        "m> <a #note-from-1>↩</a></p></li></ol></section>",
    ),
    (
        '[a][r] and [b] and [c](https://c.test/).\n\n[r]: https://r.test/ "Title"\n[b]: https://b.test/',
        "<p><a https://r.test/>a</a> and <a https://b.test/>b</a> and <a https://c.test/>c</a>.</p>",
    ),
    (
        "https://x.test/a_b_c, www.x.test and <https://y.test/>.",
        "<p><a https://x.test/a_b_c>https://x.test/a_b_c</a>, <a http://www.x.test>www.x.test</a> a"
        "nd <a https://y.test/>https://y.test/</a>.</p>",
    ),
    (
        "访问 https://x.test/a。然后（见 www.x.test）",
        "<p>访问 <a https://x.test/a>https://x.test/a</a>。然后（见 <a http://www.x.test>www.x.test</a>）</p>",
    ),
    (
        "[![build](https://x.test/b.svg)](https://x.test/)",
        "<p><a https://x.test/>build</a></p>",
    ),
    (
        "[bad](javascript:alert(1)) ![pic](https://x.test/p.png)",
        "<p><a>bad</a> <a https://x.test/p.png>pic</a></p>",
    ),
    (
        "- [ ] open\n- [x] done `x`\n- [X] **Done**\n  - [ ] below",
        "<ul><li>☐ open</li> <li>☑ done <code>x</code></li> <li>☑ <strong>Done</strong><ul><li>☐ be"
        "low</li></ul></li></ul>",
    ),
    ("1. [ ] one\n2. [x] two", "<ol><li>☐ one</li> <li>☑ two</li></ol>"),
    ("- a\n  - b\n    - c\n- d", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li> <li>d</li></ul>"),
    ("1. a\n2. b\n\n5. c", "<ol><li><p>a</p></li> <li><p>b</p></li> <li><p>c</p></li></ol>"),
    ("3) a\n4) b", "<ol><li>a</li> <li>b</li></ol>"),
    ("* a\n\n* b\n\n  c", "<ul><li><p>a</p></li> <li><p>b</p> <p>c</p></li></ul>"),
    ("- a\n-", "<ul><li>a</li> <li></li></ul>"),
    ("1986 was a year\n1986. was a list", "<p>1986 was a year<br>1986. was a list</p>"),
    ("+ a\n\n\n+ b\n\ntext", "<ul><li><p>a</p></li> <li><p>b</p></li></ul><p>text</p>"),
    ("# H1\n## H2 ##\n### H3\n#no", "<h1>H1</h1><h2>H2</h2><h3>H3</h3><p>#no</p>"),
    ("Set\n===\n\ntext\n---\n\n***\n\n---", "<h1>Set</h1><h2>text</h2><hr></hr><hr></hr>"),
    (
        "> a\nb\n\n> c\n> > d",
        "<blockquote><p>a<br>b</p></blockquote><blockquote><p>c</p> <blockquote><p>d</p></blockquot"
        "e></blockquote>",
    ),
    (
        "line one\nline two  \nline three\\\nline four",
        "<p>line one<br>line two<br>line three<br>line four</p>",
    ),
    (
        "**bold** *em* ***both*** ~~gone~~ __b__ _e_",
        "<p><strong>bold</strong> <em>em</em> <em><strong>both</strong></em> <del>gone</del> <stron"
        "g>b</strong> <em>e</em></p>",
    ),
    (
        "**bold with `code*` and *em* in it**",
        "<p><strong>bold with <code>code*</code> and <em>em</em> in it</strong></p>",
    ),
    (
        "snake_case_name, 2 * 3 * 4, a ** b, *args and **kwargs",
        "<p>snake_case_name, 2 * 3 * 4, a ** b, *args and **kwargs</p>",
    ),
    ("**never closed\n\nnext *open", "<p>**never closed</p><p>next *open</p>"),
    ("**a**b and a*b*c and **a*b", "<p><strong>a</strong>b and a<em>b</em>c and **a*b</p>"),
    (
        "这是**“重要”**的。**注意：**内容。",
        "<p>这是<strong>“重要”</strong>的。<strong>注意：</strong>内容。</p>",
    ),
    ("これは**「強調」**です。*（注）*を", "<p>これは<strong>「強調」</strong>です。<em>（注）</em>を</p>"),
    ("한국어 **강조(emphasis)**는 됩니다.", "<p>한국어 <strong>강조(emphasis)</strong>는 됩니다.</p>"),
    (
        "中文**加粗**中文*斜体*中文，**结束。**下一句",
        "<p>中文<strong>加粗</strong>中文<em>斜体</em>中文，<strong>结束。</strong>下一句</p>",
    ),
    ("~~删除（旧）~~的", "<p><del>删除（旧）</del>的</p>"),
    (
        "𠮷**「強い」**野 😀 **$a*b$** 😀",
        "<p>𠮷<strong>「強い」</strong>野 😀 <strong><m>a*b</m></strong> 😀</p>",
    ),
    (
        "H<sub>2</sub>O<br>x<sup>2</sup> <kbd>Ctrl</kbd> <b>no</b>",
        "<p>H<sub>2</sub>O<br>x<sup>2</sup> <kbd>Ctrl</kbd> &lt;b&gt;no&lt;/b&gt;</p>",
    ),
    ("<div>\nblock\n</div>\n\ntext", "<pre html><div>\nblock\n</div></pre><p>text</p>"),
    (
        "<details>\n<summary>S</summary>\n\ntext\n\n</details>",
        "<pre html><details>\n<summary>S</summary></pre><p>text</p><pre html></details></pre>",
    ),
    (
        "&amp; &lt; &copy; &#65; & a < b > c \\* \\_ \\# \\`",
        "<p>&amp; &lt; © A &amp; a &lt; b &gt; c * _ # `</p>",
    ),
    ("<think>hm</think> 3 < 4 and a<b>c", "<p>&lt;think&gt;hm&lt;/think&gt; 3 &lt; 4 and a&lt;b&gt;c</p>"),
    ("<!-- comment -->\n\ntext", "<pre html><!-- comment --></pre><p>text</p>"),
    (
        "مرحبا **بالعالم**\n\n- أول\n- ثان\n\n> اقتباس\n\nEnglish `كود`",
        "<p>مرحبا <strong>بالعالم</strong></p><ul><li>أول</li> <li>ثان</li></ul><blockquote><p>اقتب"
        "اس</p></blockquote><p>English <code>كود</code></p>",
    ),
    ("שלום $x$ עולם: `code`", "<p>שלום <m>x</m> עולם: <code>code</code></p>"),
    (
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "<p>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA</p>",
    ),
    (
        "| a |\n|---|\n| wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww |",
        "<table><tr><th>a</th></tr>  <tr><td>wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
        "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww</td></tr></table>",
    ),
    (
        "# T\n\nText with $x$, `c` and **b**.\n\n| a | b |\n|---|---|\n| $y$ | 2 |\n\n```py\nx = 1"
        "\n```\n\n1. one\n2. two $z$\n\n> q",
        "<h1>T</h1><p>Text with <m>x</m>, <code>c</code> and <strong>b</strong>.</p><table><tr><th>"
        "a</th> <th>b</th></tr>  <tr><td><m>y</m></td> <td>2</td></tr></table><pre py>x = 1</pre><o"
        "l><li>one</li> <li>two <m>z</m></li></ol><blockquote><p>q</p></blockquote>",
    ),
    ("\r\nwindows\r\nlines\r\n\r\n- a\r\n- b", "<p>windows<br>lines</p><ul><li>a</li> <li>b</li></ul>"),
    ("", ""),
    ("\n\n   \n", ""),
    ("a\n\n\n\n\nb", "<p>a</p><p>b</p>"),
]
