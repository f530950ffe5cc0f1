/** How an answer was made: the fields of its question and what it took. */
import { element } from "./element.js";
import { count, seconds } from "./format.js";

/** @param {import("./conversation.js").Message} message */
export function madeView({ made, figures, model }) {
  const rows = [["model", model], ...Object.entries(made).filter(([name]) => name !== "model").map(([name, value]) => [name, worded(value)])];
  if (figures) {
    rows.push(["prompt", `${count(figures.prompt_tokens)} tokens, ${count(figures.cached_tokens)} of them cached`]);
    rows.push(["answer", `${count(figures.tokens)} tokens, ${count(figures.reasoning_tokens ?? 0)} of them thoughts`]);
    for (const name of ["adapter", "device", "revision"]) if (figures[name]) rows.push([name, figures[name]]);
    rows.push(["time", `${seconds(figures.total_s ?? 0)} in all`], ["end", figures.reason]);
  }
  const list = element("dl", {}, ...rows.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  return element("details", { className: "made" }, element("summary", { className: "mini" }, "How it was made"), list);
}

const worded = (value) => (typeof value === "object" ? JSON.stringify(value) : value);
