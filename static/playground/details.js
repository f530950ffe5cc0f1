/** The generation details of an answer: the fields of its question, and its statistics. */
import { element } from "./element.js";
import { count, seconds } from "./format.js";

/** @param {import("./conversation.js").Message} message */
export function detailsView({ made, figures, model }) {
  const rows = [["model", model], ...Object.entries(made).filter(([name]) => name !== "model").map(([name, value]) => [name, asText(value)])];
  if (figures) {
    rows.push(["prompt", `${count(figures.prompt_tokens)} tokens, ${count(figures.cached_tokens)} of them cached`]);
    rows.push(["answer", `${count(figures.tokens)} tokens, ${count(figures.reasoning_tokens ?? 0)} of them reasoning`]);
    if (figures.drafted_tokens) rows.push(["drafts", `${count(figures.drafted_tokens)} tokens, ${count(figures.accepted_tokens)} of them accepted`]);
    for (const name of ["adapter", "device", "revision"]) if (figures[name]) rows.push([name, figures[name]]);
    rows.push(["time", `${seconds(figures.total_s ?? 0)} in total`], ["finish reason", figures.reason]);
  }
  const list = element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  return element("details", { className: "made" }, element("summary", { className: "mini" }, "Generation details"), list);
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : value);
