/** Emphasis beside full-width punctuation, and none that begins or ends inside a formula. */
import { Tokenizer } from "../vendor/marked/marked.js";
import { maskFormulas } from "./math.js";

const FULL_WIDTH = /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\u{20000}-\u{3fffd}]/u;
const MOST_CHARACTERS = 20_000; // of one paragraph: the rules for full-width signs look at every pair of signs

/** @type {{emStrong: Function, del: Function} | undefined} fetched when a text first needs them */
let rules;
/** @type {Promise<void> | undefined} */
let coming;

/** @param {string} text @returns {Promise<void> | null} settles once the rules that `text` needs are there; null when they are */
export function fullWidthRulesFor(text) {
  if (rules || !FULL_WIDTH.test(text) || !/[*_~]/.test(text)) return null;
  coming ??= import("../vendor/cjkfriendly/cjkfriendly.js").then((library) => { rules = library.default().tokenizer; });
  return coming;
}

let last = { masked: "", formulas: "" };

function withoutFormulas(text, masked, hasOpenEnd) {
  if (last.masked !== masked || last.hasOpenEnd !== hasOpenEnd) last = { masked, hasOpenEnd, formulas: maskFormulas(text, masked, hasOpenEnd) };
  return last.formulas;
}

const rulesFor = (masked) => (masked.length < MOST_CHARACTERS && FULL_WIDTH.test(masked) ? rules : undefined);

/** For marked's tokenizer. */
export const emphasis = {
  emStrong(text, masked, before) {
    if (text[0] !== "*" && text[0] !== "_") return undefined;
    const { emStrong } = rulesFor(masked) ?? Tokenizer.prototype;
    return emStrong.call(this, text, withoutFormulas(text, masked, this.options.hasOpenEnd), before);
  },
  /** Two tildes strike out; one is a range ("10~20") or a home directory. */
  del(text, masked, before) {
    if (!text.startsWith("~~")) return undefined;
    return rulesFor(masked) ? rules.del.call(this, text, masked, before) : false;
  },
};
