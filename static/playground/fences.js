/** Blocks of Markdown that hold fences of the same length, as models write them: CommonMark would end them at the first. */

const OPENING = /^ {0,3}(`{3,}|~{3,})[ \t]*(?:markdown|md|mdx|mdown|rmd|qmd)\b[^`\n]*(?:\n|$)/i;
const FENCE = /^[ \t]*(`{3,}|~{3,})[ \t]*([^`\n]*)$/;

/** A bare fence opens a block when it stands as one that opens: behind a blank line or a colon, and before its code. */
function standsAsOpening(lines, at) {
  return /^[ \t]*$|[:：][ \t]*$/.test(lines[at - 1] ?? "") && /\S/.test(lines[at + 1] ?? "");
}

/**
 * The number of the line that ends the block, or -1 while it is open.
 * @param {string[]} lines @param {string} mark the opening fence @param {boolean} isGrowing whether more lines will come
 */
function closingLine(lines, mark, isGrowing) {
  const open = [mark];
  const fences = [...lines.entries()].map(([at, line]) => ({ at, found: FENCE.exec(line) }))
    .filter(({ found }) => found && found[1][0] === mark[0]);
  for (const [place, { at, found: [, sign, info] }] of fences.entries()) {
    if (info.trim()) {
      open.push(sign);
      continue;
    }
    if (sign.length < open.at(-1).length) continue;
    const later = fences.slice(place + 1).filter(({ found }) => !found[2].trim()).length;
    if (open.length === 1 && standsAsOpening(lines, at) && (isGrowing || later > 1)) open.push(sign);
    else open.pop();
    if (!open.length) return at;
  }
  return -1;
}

/** For marked's tokenizer. */
export function fences(text) {
  const head = OPENING.exec(text);
  if (!head) return false;
  const lines = text.slice(head[0].length).split("\n");
  const end = closingLine(lines, head[1], this.options.isGrowing);
  const body = lines.slice(0, end < 0 ? undefined : end).join("\n");
  const raw = end < 0 ? text : head[0] + lines.slice(0, end + 1).join("\n");
  return { type: "code", raw, lang: "markdown", text: body };
}
