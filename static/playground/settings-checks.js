/** What is wrong with the text of a setting: empty for nothing. The limits are those of the API. */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const COMMA = /^[+-]?\d+(,\d+)+$/;
const THOUSANDS = /^[+-]?\d{1,3}(,\d{3})+$/;
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const TYPES = ["string", "number", "integer", "boolean", "null", "object", "array"];
const MOST_CHOICES = 1000;
const LONGEST_CHOICE = 10_000;
const LONGEST_GRAMMAR = 100_000;
const BOUNDLESS = 1_000_000; // limits beyond it say nothing to anybody
/** Of a regular expression, wrong in every dialect. */
const BROKEN = /unterminated|unmatched|nothing to repeat|lone quantifier|\\ at end/i;

/** @typedef {{whole: boolean, least?: number, most: number, above?: number}} Limits */

/** @param {string} given @param {Limits} limits */
export function numberProblem(given, limits) {
  const text = given.trim();
  if (!text) return "";
  const mended = mendedNumber(text, limits.whole);
  if (mended) return limits.whole ? `Leave out the commas: ${mended}.` : `Use a point for decimals: ${mended}.`;
  const value = NUMBER.test(text) ? Number(text) : NaN;
  const isWithin = value <= limits.most && !(value < limits.least) && !(value <= limits.above);
  const isRight = isWithin && (!limits.whole || Number.isInteger(value));
  return isRight ? "" : `Enter a ${limits.whole ? "whole " : ""}number${rangeText(limits)}.`;
}

/** A number that was written with commas, as this page reads it; empty for other texts. */
export function mendedNumber(given, isWhole) {
  const text = given.trim();
  if (!COMMA.test(text)) return "";
  if (isWhole) return THOUSANDS.test(text) ? text.replaceAll(",", "") : "";
  return text.split(",").length === 2 ? text.replace(",", ".") : "";
}

function rangeText({ least, most, above }) {
  if (above !== undefined) return ` above ${above}, up to ${most}`;
  if (most < BOUNDLESS) return ` from ${least} to ${most}`;
  return least < -BOUNDLESS ? "" : ` from ${least} up`;
}

export const lines = (text) => text.split("\n").map((line) => line.replace(/\r$/, "")).filter((line) => line);

/** A stop sequence that may contain a line feed or a tab, which a line cannot: they are written `\n` and `\t`, and `\\` for a backslash. */
export const stops = (text) => lines(text).map((line) => line.replace(/\\([nt\\])/g, (_, sign) => ({ n: "\n", t: "\t" })[sign] ?? sign));

/** @param {string} text @param {{most: number, longest: number}} limits */
export function stopProblem(text, { most, longest }) {
  const given = stops(text);
  if (given.length > most) return `These are ${given.length} lines; enter at most ${most}.`;
  return given.some((line) => [...line].length > longest) ? `A line has at most ${longest} characters.` : "";
}

export function choicesProblem(text) {
  const given = lines(text);
  if (!given.length) return "Enter the choices, one per line.";
  if (given.length > MOST_CHOICES) return `Enter at most ${MOST_CHOICES} choices.`;
  return given.some((line) => line.length > LONGEST_CHOICE) ? `A choice has at most ${LONGEST_CHOICE} characters.` : "";
}

export function regexProblem(text) {
  const problem = grammarProblem(text, "a regular expression");
  if (problem) return problem;
  try {
    new RegExp(text.replace(/^\(\?[a-z]+\)/i, ""));
  } catch (error) {
    if (BROKEN.test(error.message)) return `This is not a valid regular expression: ${error.message.split(": ").at(-1).toLowerCase()}.`;
  }
  return "";
}

export function grammarProblem(text, what = "a grammar") {
  if (!text.trim()) return `Enter ${what}, or choose another format.`;
  return text.length > LONGEST_GRAMMAR ? `It has at most ${LONGEST_GRAMMAR.toLocaleString("en")} characters.` : "";
}

/** @param {string} text a JSON Schema */
export function schemaProblem(text) {
  if (!text.trim()) return "Enter a JSON Schema, or choose another format.";
  const { value, problem } = parsed(text);
  if (problem) return problem;
  return isObject(value) ? partProblem(value, "The schema") : "A schema must be a JSON object: {\"type\": …}.";
}

/** @param {string} text @param {number} most */
export function toolsProblem(text, most) {
  if (!text.trim()) return "";
  const { value, problem } = parsed(text);
  if (problem) return problem;
  if (!Array.isArray(value)) return "Tools must be a JSON list: [{\"name\": …}].";
  if (value.length > most) return `Enter at most ${most} tools.`;
  const names = new Set();
  for (const [place, tool] of value.entries()) {
    const found = toolProblem(tool, `Tool ${place + 1}`, names);
    if (found) return found;
  }
  return "";
}

function toolProblem(tool, place, names) {
  if (!isObject(tool)) return `${place} must be an object: {"name": …}.`;
  if (tool.type !== undefined && !["function", "custom"].includes(tool.type)) return `${place}: the type must be "function" or "custom".`;
  const about = tool.type ? tool[tool.type] : tool;
  if (!isObject(about)) return `${place} needs an object "${tool.type}".`;
  if (typeof about.name !== "string" || !TOOL_NAME.test(about.name)) return `${place} needs a name of 1 to 64 letters, digits, _ and -.`;
  if (names.has(about.name)) return `${place}: another tool is named ${about.name}.`;
  names.add(about.name);
  if (about.description !== undefined && typeof about.description !== "string") return `${place}: the description must be a text.`;
  if (about.parameters === undefined) return "";
  return isObject(about.parameters) ? partProblem(about.parameters, `The parameters of ${about.name}`) : `${place}: the parameters must be a JSON Schema.`;
}

/** What is wrong with a schema or a part of one; `where` names it. */
function partProblem(part, where) {
  if (part === true || part === false) return "";
  if (!isObject(part)) return `${where} must be an object.`;
  const types = part.type === undefined ? [] : [part.type].flat();
  const odd = types.find((type) => !TYPES.includes(type));
  if (odd !== undefined) return `${where}: there is no type ${JSON.stringify(odd)}; there are ${TYPES.join(", ")}.`;
  if (part.enum !== undefined && !(Array.isArray(part.enum) && part.enum.length)) return `${where}: "enum" must be a list of at least one value.`;
  if (part.required !== undefined && !isTexts(part.required)) return `${where}: "required" must be a list of names.`;
  for (const name of ["properties", "$defs", "definitions", "patternProperties"]) {
    if (part[name] === undefined) continue;
    if (!isObject(part[name])) return `${where}: "${name}" must be an object.`;
    const found = firstProblem(Object.entries(part[name]), where);
    if (found) return found;
  }
  for (const name of ["anyOf", "oneOf", "allOf", "prefixItems"]) {
    if (part[name] === undefined) continue;
    if (!(Array.isArray(part[name]) && part[name].length)) return `${where}: "${name}" must be a list of schemas.`;
    const found = firstProblem(part[name].map((one, place) => [`${name} ${place + 1}`, one]), where);
    if (found) return found;
  }
  return firstProblem(["items", "additionalProperties", "not"].filter((name) => isObject(part[name])).map((name) => [name, part[name]]), where);
}

function firstProblem(parts, where) {
  for (const [name, part] of parts) {
    const found = partProblem(part, `${where}, “${name}”`);
    if (found) return found;
  }
  return "";
}

function parsed(text) {
  try {
    return { value: JSON.parse(text), problem: "" };
  } catch (error) {
    return { problem: `This is not valid JSON: ${error.message}` };
  }
}

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isTexts = (value) => Array.isArray(value) && value.every((one) => typeof one === "string");
