/** Settings as texts, and the fields of a request that they become. */
import { lines, stops } from "./settings-checks.js";

export const NUMBERS = [
  "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
  "xtc_probability", "xtc_threshold", "dry_multiplier", "max_tokens", "seed", "thinking_budget", "top_logprobs",
];
const TEXTS = ["system", "format", "schema", "choices", "regex", "grammar", "thinking", "effort", "stop", "probabilities", "tools", "tool_choice"];
export const NAMES = [...NUMBERS, ...TEXTS];
const DEFAULT_ALTERNATIVES = 5;

/** The request field of each format; `text` has none. */
const FORMATS = {
  json: () => ({ response_format: { type: "json_object" } }),
  schema: ({ schema }) => ({ response_format: { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(schema) } } }),
  choice: ({ choices }) => ({ structured_outputs: { choice: lines(choices) } }),
  regex: ({ regex }) => ({ response_format: { type: "regex", pattern: regex } }),
  grammar: ({ grammar }) => ({ response_format: { type: "grammar", grammar } }),
};

/** @param {Record<string, string>} given @returns {Record<string, string>} every setting, an empty text for those not given */
export function complete(given) {
  const all = Object.fromEntries(NAMES.map((name) => [name, String(given?.[name] ?? "")]));
  if (all.schema.trim() && !all.format) all.format = "schema"; // a chat from before there were formats
  return all;
}

/** @returns {Record<string, string>} those that are not empty */
export function sparse(values) {
  return Object.fromEntries(NAMES.filter((name) => values[name]?.trim()).map((name) => [name, values[name]]));
}

/** @param {string[]} names @returns {Record<string, string>} the values with these left empty, and no format whose form is among them */
export function without(values, names) {
  const emptied = Object.fromEntries(names.map((name) => [name, ""]));
  const isFormless = ["schema", "choices", "regex", "grammar"].some((name) => names.includes(name));
  return { ...values, ...emptied, ...(isFormless ? { format: "" } : {}) };
}

export const areSame = (some, others) => NAMES.every((name) => (some[name] ?? "").trim() === (others[name] ?? "").trim());

/** @param {Record<string, string>} values without mistakes @returns the fields of a /v1/chat/completions body */
export function requestFields(values) {
  const numbers = NUMBERS.filter((name) => name !== "top_logprobs" && values[name].trim()).map((name) => [name, Number(values[name])]);
  const stop = stops(values.stop);
  return {
    ...Object.fromEntries(numbers),
    ...(stop.length ? { stop } : {}),
    ...(FORMATS[values.format]?.(values) ?? {}),
    ...(values.thinking ? { enable_thinking: values.thinking === "on" } : {}),
    ...(values.effort ? { reasoning_effort: values.effort } : {}),
    ...(values.probabilities ? { logprobs: true, top_logprobs: Number(values.top_logprobs.trim() || DEFAULT_ALTERNATIVES) } : {}),
    ...toolFields(values),
  };
}

/** The setting that each form of an answer is written in. */
const FORMS = { schema: "schema", choice: "choices", regex: "regex", grammar: "grammar", json: "format" };
const OF_FIELDS = { reasoning_effort: "effort", enable_thinking: "thinking", logprobs: "top_logprobs", max_completion_tokens: "max_tokens" };

/** @param {string} param a field of a request, as an error names it @returns {string} the setting that it was made of, empty if there is none */
export function settingOf(param, { format }) {
  const [field] = param.split(/[.[]/);
  if (["response_format", "structured_outputs"].includes(field)) return FORMS[format] ?? "";
  const name = OF_FIELDS[field] ?? field;
  return NAMES.includes(name) ? name : "";
}

function toolFields({ tools, tool_choice }) {
  const list = tools.trim() ? JSON.parse(tools) : [];
  if (!list.length) return {};
  return { tools: list.map((tool) => (tool.type ? tool : { type: "function", function: tool })), ...(tool_choice ? { tool_choice } : {}) };
}
