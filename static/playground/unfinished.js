/** Text that is still growing: signs at its end that the next sign may turn into something else are held back. */

/** A last line of signs only: a list, a heading, a rule or a fence may begin with them. */
const LINE_OF_SIGNS = /(?:^|\n)(?:[-+*=#>~|:_`\s]*|[ \t]*\d{1,9}[.)]?[ \t]*)$/;
const FENCE_LINE = /\n[ \t]*(?:`{3,}|~{3,})[ \t]*\n?[ \t]*$/; // what follows says whether it opens or closes
const LINE_OF_TAG = /(?:^|\n) {0,3}<[^>\n]*>?[ \t]*$/;
const OPEN_SIGNS = /(?:[*_~`]+|\$+[a-z]{0,4}|\\+|\\[\])])$/;
const MOST_HELD_BACK = 200;

/** @param {string} text @returns {string} as much of it as can be shown without being taken back */
export function settled(text) {
  const end = text.slice(-MOST_HELD_BACK);
  const fence = FENCE_LINE.exec(end);
  if (fence) return text.slice(0, text.length - end.length + fence.index);
  const line = LINE_OF_SIGNS.exec(end);
  if (line && line[0].trim()) return text.slice(0, text.length - line[0].length);
  const tag = LINE_OF_TAG.exec(end);
  if (tag) return text.slice(0, text.length - end.length + tag.index);
  const signs = OPEN_SIGNS.exec(end);
  return signs ? text.slice(0, text.length - signs[0].length) : text;
}
