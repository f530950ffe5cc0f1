"""Code in Markdown, and what it becomes in the notation of `rendering.js`."""

CASES = [
    (
        "1. Here:\n   ```markdown\n   # T\n   ```python\n   x\n   ```\n   ```\n2. Next",
        "<ol><li>Here:<pre markdown># T\n```python\nx\n```</pre></li> <li>Next</li></ol>",
    ),
    (
        "> ```markdown\n> # T\n> ```python\n> x\n> ```\n> ```\n> after",
        "<blockquote><pre markdown># T\n```python\nx\n```</pre> <p>after</p></blockquote>",
    ),
    (
        "```markdown\n```python\na\n```\n\n~~~\nb\n~~~\n```\n\nAfter",
        "<pre markdown>```python\na\n```\n\n~~~\nb\n~~~</pre><p>After</p>",
    ),
    (
        "```markdown\n````md\n```js\nx\n```\n````\n```\n\nAfter",
        "<pre markdown>````md\n```js\nx\n```\n````</pre><p>After</p>",
    ),
    (
        "Here:\n\n```markdown\n# A\n\n1. Install:\n   ```bash\n   npm i\n   ```\n2. Run\n```\n\nDone.",
        "<p>Here:</p><pre markdown># A\n\n1. Install:\n   ```bash\n   npm i\n   ```\n2. Run</pre><p"
        ">Done.</p>",
    ),
    ("``` python\nx\n```", "<pre python>x</pre>"),
    ("```python\n\n\nx = 1\n\n\n```", "<pre python>\n\nx = 1</pre>"),
    ("```mermaid\ngraph TD\n```", "<pre mermaid>graph TD</pre>"),
    ("```js\nconst a = `${b}`; // $x$ \\(y\\)\n```", "<pre js>const a = `${b}`; // $x$ \\(y\\)</pre>"),
    (
        'Run `pip install "a[b]"` and `echo $HOME`.',
        '<p>Run <code>pip install "a[b]"</code> and <code>echo $HOME</code>.</p>',
    ),
    ("```sh\necho $HOME $$ ${A}\n```\n\n$x$", "<pre sh>echo $HOME $$ ${A}</pre><p><m>x</m></p>"),
    ("```python\nprint(1)\n```", "<pre python>print(1)</pre>"),
    ("```\nplain\n```\nand text", "<pre text>plain</pre><p>and text</p>"),
    ("```bash\nls -la\n\n\n```", "<pre bash>ls -la</pre>"),
    ("~~~js\nlet a = `b`;\n~~~", "<pre js>let a = `b`;</pre>"),
    ("````\n```\ninner\n```\n````", "<pre text>```\ninner\n```</pre>"),
    ("```python\nnever = 'closed'", "<pre python>never = 'closed'</pre>"),
    ("```\n```", "<pre text></pre>"),
    ("- step\n  ```sh\n  ls\n  ```\n- next", "<ul><li>step<pre sh>ls</pre></li> <li>next</li></ul>"),
    (
        "1. a\n\n   ```sh\n   ls\n   ```\n\n2. b",
        "<ol><li><p>a</p> <pre sh>ls</pre></li> <li><p>b</p></li></ol>",
    ),
    ("> ```\n> quoted\n> ```", "<blockquote><pre text>quoted</pre></blockquote>"),
    (
        "```markdown\n# Title\n```python\nprint(1)\n```\nmore\n```\n\nAfter.",
        "<pre markdown># Title\n```python\nprint(1)\n```\nmore</pre><p>After.</p>",
    ),
    (
        "```markdown\n# Title\n\n```\nnpm i\n```\n\nmore\n```\n\nAfter.",
        "<pre markdown># Title\n\n```\nnpm i\n```\n\nmore</pre><p>After.</p>",
    ),
    (
        "```md\nplain markdown\n```\n\nRun:\n\n```\nls\n```\n\nAfter.",
        "<pre markdown>plain markdown</pre><p>Run:</p><pre text>ls</pre><p>After.</p>",
    ),
    (
        "```markdown\n## Use\n\n```bash\na\n```\n\n```js\nb\n```\n```\n\n# After\n\n```js\nc\n```",
        "<pre markdown>## Use\n\n```bash\na\n```\n\n```js\nb\n```</pre><h1>After</h1><pre js>c</pre>",
    ),
    ("````markdown\n```js\nb\n```\n````\n\nAfter", "<pre markdown>```js\nb\n```</pre><p>After</p>"),
    ("```markdown\nopen\n```js\nb\n```\nstill open", "<pre markdown>open\n```js\nb\n```\nstill open</pre>"),
    ("~~~markdown\n```js\nb\n```\n~~~\n\nAfter", "<pre markdown>```js\nb\n```</pre><p>After</p>"),
    ("```markdown\ntext\n```\nAfter the block.", "<pre markdown>text</pre><p>After the block.</p>"),
    (
        "Use `a`, ``b ` c`` and `` ` ``.",
        "<p>Use <code>a</code>, <code>b ` c</code> and <code>`</code>.</p>",
    ),
    (
        "`$x$` `\\(y\\)` `**z**` `<b>`",
        "<p><code>$x$</code> <code>\\(y\\)</code> <code>**z**</code> <code>&lt;b&gt;</code></p>",
    ),
    ("```text\n$x$ \\(y\\) $$z$$\n```", "<pre text>$x$ \\(y\\) $$z$$</pre>"),
    ("    indented\n      code\n\ntext", "<pre text>indented\n  code</pre><p>text</p>"),
    ("`open code", "<p>`open code</p>"),
    ("a `code\nover lines` b", "<p>a <code>code over lines</code> b</p>"),
    ('```c++ title="x"\nint a;\n```', "<pre c++>int a;</pre>"),
    ("```html\n<script>alert(1)</script>\n```", "<pre html><script>alert(1)</script></pre>"),
    ("text\n```js\nb\n```\ntext", "<p>text</p><pre js>b</pre><p>text</p>"),
    ("```diff\n- a\n+ b\n```", "<pre diff>- a\n+ b</pre>"),
]
