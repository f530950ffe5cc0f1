/** Text that is still growing: signs at its end that the next sign may turn into something else are held back. */

/** A last line of signs only: a list, a heading, a rule or a fence may begin with them. */
const LINE_OF_SIGNS = /(?:^|\n)(?:(?=[ \t]*\S)[-+*=#>~|:_` \t]*\n?[ \t]*|[ \t]*\d{1,9}[.)]?[ \t]*)$/;
const FENCE_LINE = /\n[ \t]*(?:`{3,}|~{3,})[ \t]*\n?[ \t]*$/; // what follows says whether it opens or closes
const OPENING_FENCE = /(?:^|\n)[ \t]*(?:`{3,}|~{3,})[^`\n]*$/;
const LINE_OF_TAG = /(?:^|\n) {0,3}<[^>\n]*>?[ \t]*$/;
const OPEN_SIGNS = /(?:[*_~`]+|\$+[a-z]{0,4}|\\+|\\[\])]|\]\([^()\s]*)$/;
const MOST_HELD_BACK = 200;

/** @param {string} text @returns {string} as much of it as can be shown without being taken back */
export function settled(text) {
  const least = Math.max(0, text.length - MOST_HELD_BACK);
  const end = text.slice(least);
  const line = openLine(end);
  if (line >= 0) return text.slice(0, least + line);
  const signs = OPEN_SIGNS.exec(end)?.index ?? end.length;
  const before = end.slice(0, signs);
  // "- **" is held back whole; the line before a line feed is decided.
  const lineOfSigns = before.endsWith("\n") ? -1 : openLine(before);
  return text.slice(0, least + (lineOfSigns >= 0 ? lineOfSigns : signs));
}

/** Where a last line begins that may still become another block, or -1. */
function openLine(end) {
  for (const rule of [FENCE_LINE, OPENING_FENCE, LINE_OF_SIGNS, LINE_OF_TAG]) {
    const found = rule.exec(end);
    if (found) return found.index;
  }
  return -1;
}
