/** The direction of each block: that of its own text, so that languages mix; code is always left to right. */

const LEAVES = "p, h1, h2, h3, h4, h5, h6, td, th, li";
const BOXES = "ul, ol, blockquote, table, li:has(> p)";
const FIRST_STRONG = /[\p{L}]/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** @param {ParentNode} root */
export function setDirections(root) {
  for (const leaf of root.querySelectorAll(LEAVES)) leaf.dir = "auto";
  // "auto" of a box looks past the blocks in it, which have a direction of their own.
  for (const box of root.querySelectorAll(BOXES)) box.dir = RIGHT_TO_LEFT.test(FIRST_STRONG.exec(box.textContent)?.[0] ?? "") ? "rtl" : "auto";
  for (const code of root.querySelectorAll("code")) code.dir = "ltr";
}
