/** Formulas: found in Markdown between dollars or backslashes, and set by KaTeX as MathML, which needs no styles. */
const CODE = "language-tex-";

/** Not a price: the dollar touches its formula, and no digit follows the closing one. */
const INLINE = /^\$(?!\s)((?:\\.|[^\\$\n])+?)(?<!\s)\$(?!\d)|^\\\(([^\n]+?)\\\)/;
const BLOCK = /^\$\$([\s\S]+?)\$\$(?:\n|$)|^\\\[([\s\S]+?)\\\](?:\n|$)/;

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function rule(name, level, pattern, begins) {
  return {
    name,
    level,
    start: (text) => text.match(begins)?.index,
    tokenizer(text) {
      const found = pattern.exec(text);
      return found ? { type: name, raw: found[0], text: (found[1] ?? found[2]).trim() } : undefined;
    },
    renderer: ({ text }) => {
      const code = `<code class="${CODE}${level}">${escaped(text)}</code>`;
      return level === "block" ? `<p>${code}</p>` : code;
    },
  };
}

/** For marked: formulas become code of a language of their own, which is harmless until it is set. */
export const extensions = [
  rule("mathBlock", "block", BLOCK, /\$\$|\\\[/),
  rule("mathInline", "inline", INLINE, /\$|\\\(/),
];

/** Set every formula below `root`; one that KaTeX cannot read stays the text it is. */
export function setFormulas(root) {
  const found = root.querySelectorAll(`code[class^="${CODE}"]`);
  if (!found.length) return;
  const codes = [...found];
  import("../vendor/katex/katex.js").then(() => codes.forEach(set), () => {});
}

function set(code) {
  const made = document.createElement("span");
  const displayMode = code.className === `${CODE}block`;
  try {
    // Never trusted: no links, no pictures, no classes of the model's own; and nothing endless.
    self.katex.render(code.textContent, made, { output: "mathml", displayMode, trust: false, maxExpand: 500, maxSize: 20, strict: "ignore" });
  } catch {
    return;
  }
  made.className = displayMode ? "math is-block" : "math";
  made.title = code.textContent;
  code.replaceWith(made);
}
