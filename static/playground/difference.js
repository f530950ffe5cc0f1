/** What differs between two texts, word by word: the longest common subsequence. */
import { element } from "./element.js";

const MOST_WORDS = 2000;

/** @param {string} before @param {string} after @returns {{kind: "same" | "gone" | "new", text: string}[]} */
export function difference(before, after) {
  const [old, now] = [before, after].map((text) => text.match(/\s+|[^\s]+/g) ?? []);
  if (Math.max(old.length, now.length) > MOST_WORDS) return [{ kind: "gone", text: before }, { kind: "new", text: after }];
  const lengths = table(old, now);
  const parts = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) { parts.push({ kind: "same", text: now[j] }); i += 1; j += 1; }
    else if (j >= now.length || (i < old.length && lengths[i + 1][j] >= lengths[i][j + 1])) { parts.push({ kind: "gone", text: old[i] }); i += 1; }
    else { parts.push({ kind: "new", text: now[j] }); j += 1; }
  }
  return parts;
}

/** The lengths of the common subsequences of the remaining words, from each position on. */
function table(old, now) {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = old[i] === now[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  return lengths;
}

/** @param {string} before @param {string} after */
export function differenceView(before, after) {
  if (before === after) return element("p", { className: "replayed" }, "The same answer, word for word.");
  const tags = { same: "span", gone: "del", new: "ins" };
  const parts = difference(before, after).map(({ kind, text }) => element(tags[kind], {}, text));
  return element("div", { className: "replayed" }, element("p", {}, "Differences from the replayed answer:"), element("div", { className: "diff" }, ...parts));
}
