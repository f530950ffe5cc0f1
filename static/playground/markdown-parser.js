/** The dialect of Markdown that models write: what its blocks are, and their HTML, which is still to be sanitised. */
import { Lexer, Marked, Tokenizer } from "../vendor/marked/marked.js";
import { emphasis } from "./emphasis.js";
import { fences } from "./fences.js";
import { footnoteExtensions } from "./footnotes.js";
import { mathExtensions } from "./math.js";
import { table } from "./tables.js";

/** Signs that end a sentence or a part of one in Chinese, Japanese and Korean, where no space follows an address. */
const FULL_WIDTH_SIGN = /[\u2018-\u201d\u3000-\u3004\u3008-\u3020\u3030\uff01-\uff0f\uff1a-\uff20\uff3b-\uff3d\uff5b-\uff65]/;
const HARMLESS_TAG = /^<\/?(?:br|kbd|sub|sup)\s*\/?>$/i;
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const codeHtml = (text, language) => `<pre><code${language ? ` class="language-${escaped(language)}"` : ""}>${escaped(text)}</code></pre>\n`;

/** For marked's tokenizer: a bare address. */
function url(text) {
  const end = /^(?:https?:|ftp:|www\.)/i.test(text) ? text.search(FULL_WIDTH_SIGN) : -1;
  return end < 0 ? false : Tokenizer.prototype.url.call(this, text.slice(0, end));
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  extensions: [...mathExtensions, ...footnoteExtensions],
  tokenizer: { ...emphasis, fences, table, url },
  renderer: {
    // HTML in an answer is shown as text and not interpreted.
    html({ text, block }) {
      if (HARMLESS_TAG.test(text.trim())) return text;
      return block ? codeHtml(text.trimEnd(), "html") : escaped(text);
    },
    // Loading an image would disclose the conversation to its host, so it becomes a link.
    image({ href, text }) {
      return `<a href="${escaped(href)}">${escaped(text || "image")}</a>`;
    },
    // A link in a link ends the outer one, so that a badge would lead to its picture only.
    link({ tokens }) {
      for (const token of tokens) if (token.type === "image") Object.assign(token, { type: "text", text: token.text || "image" });
      return false;
    },
    // No line feed at the end: pasted into a terminal it would run the line.
    code({ text, lang }) {
      return codeHtml(text.replace(/\n+$/, ""), /^\S+/.exec(lang ?? "")?.[0]);
    },
    checkbox({ checked }) {
      return `<span class="tick">${checked ? "☑" : "☐"}</span> `;
    },
  },
});

/**
 * @typedef {{raw: string, start: number, token: object, isFree: boolean, links: Record<string, object>, notes: object[],
 *   references: string[]}} Block `isFree`: a blank line is before it, so that it can be read again without what is before
 */

/**
 * The blocks of a text.
 * @param {string} text @param {Record<string, object>} links definitions of references that are known already
 * @param {boolean} isGrowing whether more of the text will come
 * @returns {Block[]}
 */
export function blocksOf(text, links, isGrowing) {
  const blocks = read(text, links, { isGrowing });
  const last = blocks.at(-1);
  if (!isGrowing || !/[`$\\]/.test(last?.raw ?? "")) return blocks;
  // Only in the last block code and formulas may be open that will be closed.
  const again = read(last.raw, links, { isGrowing, hasOpenEnd: true });
  return again.length === 1 ? [...blocks.slice(0, -1), { ...again[0], start: last.start, isFree: last.isFree }] : blocks;
}

/** For tokenizers, `isGrowing` says that lines may follow, and `hasOpenEnd` that what is open at the end may be closed. */
function read(text, links, state) {
  const lexer = new Lexer({ ...marked.defaults, ...state });
  Object.assign(lexer.tokens.links, links);
  const blocks = [];
  let start = 0;
  let isFree = true;
  for (const token of lexer.lex(text)) {
    if (token.type !== "space") blocks.push({ raw: token.raw, start, token, isFree, ...definitions(token) });
    isFree = token.type === "space" || token.raw.endsWith("\n\n");
    start += token.raw.length;
  }
  return blocks;
}

function definitions(token) {
  const found = { links: {}, notes: [], references: [] };
  marked.walkTokens([token], (child) => {
    if (child.type === "def") found.links[child.tag] ??= { href: child.href, title: child.title };
    if (child.type === "footnote") found.notes.push(child);
    if (child.type === "footnoteReference") found.references.push(child.label);
  });
  return found;
}

/** @param {object[]} tokens @returns {string} HTML that is not safe yet */
export const htmlOf = (tokens) => marked.parser(tokens);
