/** Rows of tables as models write them: pipes in code and formulas are no ends of cells, and no cell is dropped. */
import { Tokenizer } from "../vendor/marked/marked.js";

const DELIMITER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const SPAN = /(`+)(?!`)(?:[^`]|`+(?!`))*?[^`]?\1(?!`)|\$(?!\s)(?:\\.|[^\\$`])+\$|\\\(.+?\\\)/g;
const PIPE = /(?<!\\)\|/g;

const cells = (row) => row.trim().replace(/^\||(?<!\\)\|$/g, "").split(/(?<!\\)\|/);
const isLong = (row, columns) => cells(row).slice(columns).some((cell) => cell.trim());
const withEscapedPipes = (text) => text.replace(PIPE, "\\|");

function fitted(row, columns) {
  if (!isLong(row, columns)) return row;
  const escaped = row.replace(SPAN, withEscapedPipes);
  if (!isLong(escaped, columns)) return escaped;
  const all = cells(escaped);
  return `|${all.slice(0, columns - 1).map((cell) => `${cell}|`).join("")}${withEscapedPipes(all.slice(columns - 1).join("|"))}|`;
}

/** For marked's tokenizer. */
export function table(text) {
  const lines = text.split(/\n(?=[ \t]*\n)/, 1)[0].split("\n");
  if (lines.length < 2 || !lines[0].includes("|") || !DELIMITER.test(lines[1])) return false;
  const columns = cells(lines[1]).length;
  const rows = lines.map((line, place) => (place === 1 || !line.includes("|") ? line : fitted(line, columns)));
  if (cells(rows[0]).length !== columns) return false;
  const token = Tokenizer.prototype.table.call(this, rows.join("\n"));
  if (!token) return false;
  token.raw = lines.slice(0, token.raw.split("\n").length).join("\n");
  return token;
}
