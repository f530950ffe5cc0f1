/** Markdown that grows: only blocks that have changed are rendered again. */
import { Marked } from "../vendor/marked/marked.js";
import { copyButton } from "./clipboard.js";
import { element } from "./element.js";
import { grammarFor, highlighted } from "./highlight.js";
import { extensions, setFormulas } from "./math.js";
import { fragment } from "./sanitise.js";

const HARMLESS_TAG = /^<\/?(?:br|kbd|sub|sup)\s*\/?>$/i;
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions,
  renderer: {
    // HTML in an answer is shown as text and not interpreted.
    html({ text, block }) {
      if (HARMLESS_TAG.test(text.trim())) return text;
      return block ? `<pre><code class="language-html">${escaped(text)}</code></pre>` : escaped(text);
    },
    // Loading an image would disclose the conversation to its host, so it becomes a link.
    image({ href, text }) {
      return `<a href="${escaped(href)}">${escaped(text || "image")}</a>`;
    },
    checkbox({ checked }) {
      return checked ? "☑ " : "☐ ";
    },
  },
});

export class Markdown {
  /** @param {HTMLElement} root is filled with the rendered text */
  constructor(root) {
    this.root = root;
    /** @type {{raw: string, nodes: Node[]}[]} */
    this.blocks = [];
  }

  /**
   * Show `text`. While it grows, blocks that are already right keep their nodes, so a selection in them survives.
   * @param {string} text @param {boolean} isFinal everything again: a reference may have been defined late
   */
  show(text, isFinal) {
    const tokens = marked.lexer(text).filter((token) => token.type !== "space");
    const same = isFinal ? 0 : this.#countSame(tokens);
    for (const block of this.blocks.splice(same)) block.nodes.forEach((node) => node.remove());
    for (const token of tokens.slice(same)) this.#append(token);
  }

  #countSame(tokens) {
    const differs = tokens.findIndex((token, index) => token.raw !== this.blocks[index]?.raw);
    return differs < 0 ? tokens.length : differs;
  }

  #append(token) {
    const rendered = fragment(marked.parser([token]));
    decorate(rendered);
    const nodes = [...rendered.childNodes];
    this.root.append(rendered);
    this.blocks.push({ raw: token.raw, nodes });
  }
}

function decorate(rendered) {
  for (const table of rendered.querySelectorAll("table")) {
    const wide = element("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": "Table" });
    table.replaceWith(wide);
    wide.append(table);
  }
  for (const pre of rendered.querySelectorAll("pre")) frameCode(pre);
  setFormulas(rendered);
}

function frameCode(pre) {
  const code = pre.querySelector("code");
  if (!code) return;
  const language = /language-(\S+)/.exec(code.className)?.[1].toLowerCase() ?? "";
  const head = element("div", { className: "code-head" }, element("span", {}, language || "text"));
  const frame = element("div", { className: "code" }, head);
  pre.tabIndex = 0; // it scrolls sideways, so the keyboard has to reach it
  pre.replaceWith(frame);
  frame.append(pre);
  head.append(copyButton(() => code.textContent, "Copy code"));
  colour(code, language);
}

function colour(code, language) {
  const html = highlighted(code.textContent, language);
  if (html !== null) {
    code.replaceChildren(fragment(html));
    return;
  }
  // Uncoloured code is still code: a grammar that cannot be loaded is not an error.
  grammarFor(language)?.then(() => {
    const late = highlighted(code.textContent, language);
    if (late !== null && code.isConnected) code.replaceChildren(fragment(late));
  }, () => {});
}
