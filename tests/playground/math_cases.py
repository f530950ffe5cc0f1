"""Formulas in Markdown, and what they become in the notation of `rendering.js`."""

CASES = [
    (
        "Water is $\\ce{H2O}$ and \\(\\ce{CO2 + C -> 2 CO}\\).",
        "<p>Water is <m>\\ce{H2O}</m> and <m>\\ce{CO2 + C -> 2 CO}</m>.</p>",
    ),
    (
        "The roots are \\(x_1 = \\frac{-b}{2a}\\), \\(x_2\\).",
        "<p>The roots are <m>x_1 = \\frac{-b}{2a}</m>, <m>x_2</m>.</p>",
    ),
    ("Thus $\\boxed{42}$.", "<p>Thus <m>\\boxed{42}</m>.</p>"),
    ("$$\\boxed{x = 1}$$.", "<p><M>\\boxed{x = 1}</M>.</p>"),
    ("\\[\n\\boxed{5}\n\\]\n\nDone.", "<p><M>\\boxed{5}</M></p><p>Done.</p>"),
    (
        "Let $f: \\mathbb{R} \\to \\mathbb{R}$, $f(x) = x^2$.",
        "<p>Let <m>f: \\mathbb{R} \\to \\mathbb{R}</m>, <m>f(x) = x^2</m>.</p>",
    ),
    (
        "| $a$ | $$b$$ | \\(c\\) |\n|---|---|---|\n| $1$ | $2$ | $3$ |",
        "<table><tr><th><m>a</m></th> <th><m>b</m></th> <th><m>c</m></th></tr>  <tr><td><m>1</m></t"
        "d> <td><m>2</m></td> <td><m>3</m></td></tr></table>",
    ),
    (
        "1. $a$\n2. \\(b\\)\n3. $$c$$",
        "<ol><li><m>a</m></li> <li><m>b</m></li> <li><p><M>c</M></p></li></ol>",
    ),
    ("### 1. $x$ and \\(y\\)", "<h3>1. <m>x</m> and <m>y</m></h3>"),
    (
        "**Step 1:** \\[ a \\]\n**Step 2:** \\[ b \\]",
        "<p><strong>Step 1:</strong> <M>a</M><br><strong>Step 2:</strong> <M>b</M></p>",
    ),
    (
        "$\\text{price} = \\$5$ and $a < b > c & d$",
        "<p><m>\\text{price} = \\$5</m> and <code>$a &lt; b &gt; c &amp; d$</code></p>",
    ),
    ("$x$, $y$和$z$。（$w$）", "<p><m>x</m>, <m>y</m>和<m>z</m>。（<m>w</m>）</p>"),
    ("Где $x$ — число, а $y$, то.", "<p>Где <m>x</m> — число, а <m>y</m>, то.</p>"),
    ("$$\na &= b\n$$\n\ntext", "<p><M>\\begin{aligned}a &= b\\end{aligned}</M></p><p>text</p>"),
    ("\\[x\\]\n\\[y\\]", "<p><M>x</M></p><p><M>y</M></p>"),
    ("$$x$$\n\n$$y$$", "<p><M>x</M></p><p><M>y</M></p>"),
    ("$$\nx\n$$\n$$\ny\n$$", "<p><M>x</M></p><p><M>y</M></p>"),
    ("$x$\n\n$y$", "<p><m>x</m></p><p><m>y</m></p>"),
    ("x^2 and a_1 and \\frac{1}{2} bare", "<p>x^2 and a_1 and \\frac{1}{2} bare</p>"),
    (
        "$$f(x) = \\begin{cases} 1 & x > 0 \\\\ 0 & x \\le 0 \\end{cases}$$",
        "<p><M>f(x) = \\begin{cases} 1 & x > 0 \\\\ 0 & x \\le 0 \\end{cases}</M></p>",
    ),
    (
        "Footnote $x$[^1].\n\n[^1]: $y$",
        "<p>Footnote <m>x</m><sup><a #note-1>1</a></sup>.</p><section><ol><li><p><m>y</m> <a #note-"
        "from-1>↩</a></p></li></ol></section>",
    ),
    (
        "- **$O(n)$**: linear\n- **\\(O(1)\\)**: constant",
        "<ul><li><strong><m>O(n)</m></strong>: linear</li> <li><strong><m>O(1)</m></strong>: consta"
        "nt</li></ul>",
    ),
    (
        "> **Note** $x$ is \\[ y \\]",
        "<blockquote><p><strong>Note</strong> <m>x</m> is <M>y</M></p></blockquote>",
    ),
    (
        "The formula $$E=mc^2$$ is famous.\n\nA paragraph.\n\n- one\n- two\n\nAnd $$a^2$$",
        "<p>The formula <m>E=mc^2</m> is famous.</p><p>A paragraph.</p><ul><li>one</li> <li>two</li"
        "></ul><p>And <m>a^2</m></p>",
    ),
    ("$$E=mc^2$$ opens the sentence.", "<p><m>E=mc^2</m> opens the sentence.</p>"),
    ("$$E=mc^2$$", "<p><M>E=mc^2</M></p>"),
    ("$$\n\\frac{1}{2}\n$$", "<p><M>\\frac{1}{2}</M></p>"),
    (
        "Before\n$$\nx_1 * x_2 * x_3\n$$\nand after.",
        "<p>Before</p><p><M>x_1 * x_2 * x_3</M></p><p>and after.</p>",
    ),
    ("  $$\n  a + b\n  $$\n\nText", "<p><M>a + b</M></p><p>Text</p>"),
    ("$$a$$, and then", "<p><m>a</m>, and then</p>"),
    ("$$\na\n$$,\nwhere $a$ is one.", "<p><M>a</M>,</p><p>where <m>a</m> is one.</p>"),
    ("It ends with $$x$$.", "<p>It ends with <m>x</m>.</p>"),
    ("The area\n$$\nA = \\pi r^2\n$$ is round.", "<p>The area<br><M>A = \\pi r^2</M> is round.</p>"),
    (
        "$$\\text{never closed\n\nA paragraph with $x$ in it.",
        "<p>$$\\text{never closed</p><p>A paragraph with <m>x</m> in it.</p>",
    ),
    (
        "Cut in the middle:\n\n$$\n\\int_0^1 x",
        "<p>Cut in the middle:</p><p><code>$$ \\int_0^1 x</code></p>",
    ),
    ("$$\na = b\n\nc = d\n$$", "<p>$$<br>a = b</p><p>c = d<br>$$</p>"),
    (
        "$$\n\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\n$$",
        "<p><M>\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}</M></p>",
    ),
    ("Two: $$a$$ and $$b$$.", "<p>Two: <m>a</m> and <m>b</m>.</p>"),
    ("**Energy:** $$E = mc^2$$", "<p><strong>Energy:</strong> <m>E = mc^2</m></p>"),
    ("- $$x^2$$\n- text $$y$$ more", "<ul><li><p><M>x^2</M></p></li> <li>text <m>y</m> more</li></ul>"),
    ("> $$\n> z\n> $$", "<blockquote><p><M>z</M></p></blockquote>"),
    ("# About $$x^2$$", "<h1>About <m>x^2</m></h1>"),
    ("\\[ x^2 + y^2 = z^2 \\].\n\nText.", "<p><M>x^2 + y^2 = z^2</M>.</p><p>Text.</p>"),
    ("\\[\nE = mc^2\n\\]", "<p><M>E = mc^2</M></p>"),
    ("\\[ a \\],\n\\[ b \\]", "<p><M>a</M>,</p><p><M>b</M></p>"),
    ("So \\[ x = 1 \\] holds.", "<p>So <M>x = 1</M> holds.</p>"),
    (
        "\\[ \\begin{aligned} a &= b \\\\[2pt] c &= d \\end{aligned} \\]",
        "<p><M>\\begin{aligned} a &= b \\\\[2pt] c &= d \\end{aligned}</M></p>",
    ),
    (
        "1. First:\n   \\[\n   a = b\n   \\]\n2. Second: \\(c\\)",
        "<ol><li>First:<p><M>a = b</M></p></li> <li>Second: <m>c</m></li></ol>",
    ),
    ("\\[ a = b\n\nis open.", "<p>[ a = b</p><p>is open.</p>"),
    ("See \\[1\\], \\[note\\] and \\[2, 3\\].", "<p>See [1], [note] and [2, 3].</p>"),
    (
        "It is a \\[link\\](https://x.test/).",
        "<p>It is a [link](<a https://x.test/>https://x.test/</a>).</p>",
    ),
    (
        "Let \\(x\\) and \\( y_1 \\) be \\(\\frac{1}{2}\\).",
        "<p>Let <m>x</m> and <m>y_1</m> be <m>\\frac{1}{2}</m>.</p>",
    ),
    ("当\\(x>0\\)时成立。", "<p>当<m>x>0</m>时成立。</p>"),
    ("Call f\\(x\\) or g\\(\\).", "<p>Call f(x) or g().</p>"),
    ("\\(see below\\) is no formula", "<p>(see below) is no formula</p>"),
    ("**\\(a*b*c\\)** and *\\(d_1\\) e*", "<p><strong><m>a*b*c</m></strong> and <em><m>d_1</m> e</em></p>"),
    ("\\(a\n= b\\) over two lines", "<p><m>a\n= b</m> over two lines</p>"),
    ("\\(open and never closed", "<p>(open and never closed</p>"),
    (
        "\\(x_1 is open\n\nNext *em* `open $x$\n\nLast $a$ *b*",
        "<p>(x_1 is open</p><p>Next <em>em</em> `open <m>x</m></p><p>Last <m>a</m> <em>b</em></p>",
    ),
    ("Euler: $e^{i\\pi} + 1 = 0$.", "<p>Euler: <m>e^{i\\pi} + 1 = 0</m>.</p>"),
    (
        '($x$), [$y$], "$z$", $a$: $b$; $c$! $d$? $e$\'s',
        '<p>(<m>x</m>), [<m>y</m>], "<m>z</m>", <m>a</m>: <m>b</m>; <m>c</m>! <m>d</m>? <m>e</m>\'s</p>',
    ),
    ("the $n$th, $i$-th and $k$s", "<p>the <m>n</m>th, <m>i</m>-th and <m>k</m>s</p>"),
    ("当$x$为正时，$y$也是。", "<p>当<m>x</m>为正时，<m>y</m>也是。</p>"),
    (
        "$x_1*x_2$ and *see $a*b$ now*, **bold $c_1*d$**, $e*f$",
        "<p><m>x_1*x_2</m> and <em>see <m>a*b</m> now</em>, <strong>bold <m>c_1*d</m></strong>, <m>"
        "e*f</m></p>",
    ),
    (
        "$\\{1, 2\\}$ and $a \\% b$ and $\\$5$",
        "<p><m>\\{1, 2\\}</m> and <m>a \\% b</m> and <m>\\$5</m></p>",
    ),
    ("$|x|$ and $\\|y\\|$", "<p><m>|x|</m> and <m>\\|y\\|</m></p>"),
    (
        "90$^\\circ$C, 5$\\mu$m and 3$\\sigma$ away",
        "<p>90<m>^\\circ</m>C, 5<m>\\mu</m>m and 3<m>\\sigma</m> away</p>",
    ),
    ("_$x$_ and ~~$y$~~", "<p><em><m>x</m></em> and <del><m>y</m></del></p>"),
    ("[the $x$ of it](https://x.test/)", "<p><a https://x.test/>the <m>x</m> of it</a></p>"),
    ("$a\n= b$ over a line", "<p><m>a\n= b</m> over a line</p>"),
    ("$a\n\nb$ over a paragraph", "<p>$a</p><p>b$ over a paragraph</p>"),
    ("$ x$ and $x $ are not, $x$ is.", "<p>$ x$ and $x $ are not, <m>x</m> is.</p>"),
    ("Only $\\frac{$ fails.", "<p>Only <code>$\\frac{$</code> fails.</p>"),
    ("$$\n\\frac{\n$$", "<p><code>$$ \\frac{ $$</code></p>"),
    ("$\\unknowncommand{x}$", "<p><code>$\\unknowncommand{x}$</code></p>"),
    ("a $x$ b `$y$` c ``$z$`` d", "<p>a <m>x</m> b <code>$y$</code> c <code>$z$</code> d</p>"),
    (
        "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}",
        "<p><M>\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}</M></p>",
    ),
    (
        "\\begin{cases} 1 \\\\ 2 \\end{cases} in a line",
        "<p><M>\\begin{cases} 1 \\\\ 2 \\end{cases}</M> in a line</p>",
    ),
    (
        "```latex\n\\begin{align}\na\n\\end{align}\n$$x$$\n```",
        "<pre latex>\\begin{align}\na\n\\end{align}\n$$x$$</pre>",
    ),
    ("    $$indented code$$", "<pre text>$$indented code$$</pre>"),
]
