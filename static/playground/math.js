/** Where formulas are in Markdown: $…$, $$…$$, \(…\), \[…\] and LaTeX environments. Prices and shell variables stay text. */

const LINE = String.raw`(?:\n(?![ \t]*\n))`; // one line feed: a formula never crosses a blank line
const END = String.raw`[ \t]*([.,;:!?。，；：、]?)[ \t]*(?:\n|$)`;
const ENVIRONMENT = String.raw`\\begin\{((?:equation|align|alignat|gather|cases|array|split|aligned|gathered|CD|[pbvBV]?matrix)\*?)\}`;

const INLINE = {
  $: new RegExp(String.raw`^\$(?![\s$])((?:\\[^\n]|[^\\$\n\x60]|\\?${LINE})+)\$(?![\d$])`),
  $$: new RegExp(String.raw`^\$\$(?!\$)((?:\\[^\n]|[^\\$\n\x60]|\$(?!\$)|\\?${LINE})+)\$\$(?!\$)`),
  "\\(": new RegExp(String.raw`^\\\(((?:\\[^()\n]|[^\\\n]|\\?${LINE})+?)\\\)`),
  "\\begin{": new RegExp(String.raw`^(${ENVIRONMENT}(?:[^\n]|${LINE})+?\\end\{\2\})`),
  "\\[": new RegExp(String.raw`^\\\[((?:\\[^[\]\n]|[^\\\n]|\\?${LINE})+?)\\\](?!\()`),
};
const BLOCK = [
  new RegExp(String.raw`^ {0,3}\$\$(?!\$)((?:(?!\$\$)[^\n]|${LINE})+)\$\$${END}`),
  new RegExp(String.raw`^ {0,3}\\\[((?:(?!\\\])(?:\\\\|[^\n])|${LINE})+)\\\]${END}`),
];
const ENVIRONMENT_BLOCK = new RegExp(String.raw`^ {0,3}(${ENVIRONMENT}(?:[^\n]|${LINE})+?\\end\{\2\})${END}`);
/** A formula that ends with the text: it is still coming, or was cut. */
const OPEN = new RegExp(String.raw`^ {0,3}(?:\$\$(?!\$)|\\\[|${ENVIRONMENT})(?:(?!\$\$|\\\]|\\end\{)[^\n]|${LINE})*\n?$`);
const BLOCK_START = /\n(?= {0,3}(?:\$\$|\\\[|\\begin\{))/g;

const SIGNS = /[\\^_{}=]/;
const ORDINAL = /^(?:th|st|nd|rd|s|es|ary|fold|adic)(?![A-Za-z])/;

/** Words of a sentence between two signs that happen to stand there: "20, not 30", " and kill -9 ". */
function isProse(content) {
  if (SIGNS.test(content)) return false;
  return /^\d.*[ \n][A-Za-z]{2,}/s.test(content) || /[A-Za-z]{3,}[,;]?\s+[A-Za-z]{2,}/.test(content) || /\s[A-Za-z]{2,}\s/.test(content);
}

/** The names of a shell's variables: `$HOME/bin:$PATH`, `${A}/$(b)`, `$A-$?`. */
function isShell(content, after) {
  if (/^\{[A-Za-z_]\w*(?::?[-=?+][^}]*)?\}/.test(content)) return true;
  if (/^\(/.test(content) && /^[({]/.test(after)) return true;
  if (/"/.test(content) && !/\\/.test(content)) return true;
  return /^[A-Za-z_]\w+[/:";,.=-]+$/.test(content) || /^[A-Z][A-Z0-9_]+['/:]/.test(content);
}

/** Pandoc's rule, and what its neighbours have learnt: a letter before or behind makes most dollars a variable or a price. */
function isDollarFormula(content, before, after) {
  if (/\s$/.test(content) || isProse(content) || isShell(content, after)) return false;
  if (content.includes("\n") && !/[\\^_=+<>{}]/.test(content)) return false;
  const isTeX = /^(?:\\[A-Za-z]|\^)/.test(content); // 90$^\circ$C
  if (/[A-Za-z0-9$]/.test(before) && !isTeX) return false;
  return !/^[A-Za-z{]/.test(after) || (isTeX && !after.startsWith("{")) || ORDINAL.test(after);
}

function isFormula(sign, content, before, after) {
  if (!content.trim()) return false;
  switch (sign) {
    case "$": return isDollarFormula(content, before, after);
    case "$$": return before !== "$" && !isProse(content);
    case "\\(": return !isProse(content) && (!/[A-Za-z0-9]/.test(before) || SIGNS.test(content));
    default: return /[\\^_{}=<>+|]/.test(content) || /^\s[^]*\s$/.test(content); // an escaped bracket has neither
  }
}

/**
 * The formula at the beginning of `text`, inside a sentence.
 * @param {string} text @param {string} before the sign before it, or ""
 * @param {boolean} hasOpenEnd whether more of the text will come
 * @returns {{raw: string, text: string, isDisplay?: boolean, isOpen?: boolean} | null}
 */
export function formulaAt(text, before, hasOpenEnd) {
  const sign = /^(?:\$\$?|\\(?:[([]|begin\{))/.exec(text)?.[0];
  if (!sign) return null;
  const found = INLINE[sign].exec(text);
  if (!found) return hasOpenEnd && sign !== "$" && /[\\^_{}=*+<>|]/.test(text.slice(2)) ? { raw: text, text, isOpen: true } : null;
  if (!isFormula(sign, found[1], before, text.slice(found[0].length, found[0].length + 12))) return null;
  const isDisplay = sign === "\\[" || sign === "\\begin{" || (sign === "$$" && found[1].includes("\n"));
  return { raw: found[0], text: found[1].trim(), isDisplay };
}

/** @returns {{type: string, raw: string, text: string, after?: string, isOpen: boolean} | undefined} a formula with lines of its own */
function blockAt(text) {
  for (const rule of [...BLOCK, ENVIRONMENT_BLOCK]) {
    const found = rule.exec(text);
    if (found?.[1].trim()) return { type: "mathBlock", raw: found[0], text: found[1].trim(), after: found.at(-1), isOpen: false };
  }
  const open = OPEN.exec(text)?.[0];
  if (!open || !/^\s*\S+[^\S\n]*\n|\\[A-Za-z]|[\^_={}]/.test(open)) return undefined;
  return { type: "mathBlock", raw: open, text: open.trim(), isOpen: true };
}

/**
 * Where the next block formula begins in a paragraph.
 * @param {string} text what is behind the first sign of the paragraph, which is no beginning of a line any more
 */
function blockStart(text) {
  const end = text.search(/\n[ \t]*\n/);
  const paragraph = end < 0 ? text : text.slice(0, end + 1);
  for (const { index } of paragraph.matchAll(BLOCK_START)) {
    const block = blockAt(text.slice(index + 1));
    if (block && !(block.isOpen && isClosing(paragraph.slice(0, index)))) return index + 1;
  }
  return undefined;
}

/** Two dollars that end a formula of the lines before begin none. */
const isClosing = (before) => (before.match(/^\$|\$\$/g)?.length ?? 0) % 2 === 1;

/** Code whose end is still to come: what is in it is no formula and no emphasis. */
function openCode(text) {
  const mark = /^`+/.exec(text)?.[0];
  if (!mark || new RegExp(`[^\`]${mark}(?!\`)`).test(text)) return undefined;
  return { type: "text", raw: text, text };
}

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The formula as code; `written` is shown if it cannot be set. */
function formulaHtml(text, written, isDisplay) {
  return `<code class="tex${isDisplay ? " is-display" : ""}" title="${escaped(written)}">${escaped(text)}</code>`;
}

function blockHtml({ raw, text, after, isOpen }) {
  if (isOpen) return `<p><code class="tex-open">${escaped(text)}</code></p>\n`;
  const written = raw.trim().slice(0, after ? raw.trim().lastIndexOf(after) : undefined);
  return `<p class="formula">${formulaHtml(text, written.trim(), true)}${escaped(after ?? "")}</p>\n`;
}

/** For marked: formulas become code of a class of their own, which is harmless until it is set. */
export const mathExtensions = [
  { name: "mathBlock", level: "block", start: blockStart, tokenizer: blockAt, renderer: blockHtml },
  {
    name: "mathInline",
    level: "inline",
    start: (text) => text.match(/\$|\\(?:[([]|begin\{)/)?.index,
    tokenizer(text, tokens) {
      const { hasOpenEnd } = this.lexer.options;
      const found = formulaAt(text, tokens.at(-1)?.raw.at(-1) ?? "", hasOpenEnd);
      return found ? { type: "mathInline", ...found } : hasOpenEnd ? openCode(text) : undefined;
    },
    renderer: ({ raw, text, isDisplay, isOpen }) => (isOpen ? `<code class="tex-open">${escaped(text)}</code>` : formulaHtml(text, raw, isDisplay)),
  },
];

const OPEN_DOLLAR = /^\$(?![\s\d$]|[A-Z_]{2})[^$]*$/;

/** `masked` with the formulas of its end `text` blanked, so that no emphasis begins or ends in one. */
export function maskFormulas(text, masked, hasOpenEnd) {
  if (!/[$\\]/.test(text)) return masked;
  const offset = masked.length - text.length;
  const signs = masked.split("");
  for (let at = 0; at < text.length; at += 1) {
    // Where marked has masked a sign it is code or a link; an escape is masked as two plus signs.
    const isSign = text[at] === "$" ? signs[offset + at] === "$" : text[at] === "\\" && /[+\\]/.test(signs[offset + at]);
    if (!isSign) continue;
    const rest = text.slice(at);
    const found = formulaAt(rest, text[at - 1] ?? masked[offset - 1] ?? "", hasOpenEnd);
    const length = found?.raw.length ?? (hasOpenEnd && OPEN_DOLLAR.test(rest) ? rest.length : 0);
    signs.fill("a", offset + at, offset + at + length);
    at += Math.max(length - 1, text[at] === "\\" ? 1 : 0);
  }
  return signs.join("");
}
