/** The details of an answer: the fields of its question, and its figures. */
import { element } from "./element.js";
import { count, seconds } from "./format.js";

export class Details {
  constructor() {
    this.list = element("dl");
    this.root = element("section", { className: "made", "aria-label": "Details", tabIndex: -1, hidden: true }, this.list);
  }

  get isShown() {
    return !this.root.hidden;
  }

  /** @param {import("./conversation.js").Message} message */
  toggle(message) {
    this.root.hidden = !this.root.hidden;
    this.show(message);
    if (this.isShown) this.root.focus();
  }

  /** Written only while it can be seen. @param {import("./conversation.js").Message} message */
  show(message) {
    if (!this.isShown) return;
    this.list.replaceChildren(...rows(message).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]));
  }
}

/** @returns {[string, unknown][]} */
function rows({ made, figures, model, edited_at: editedAt }) {
  const fields = Object.entries(made ?? {}).filter(([name]) => name !== "model").map(([name, value]) => [name, asText(value)]);
  const edited = editedAt ? [["edited", new Date(editedAt).toLocaleString()]] : [];
  return [["model", model], ...fields, ...(figures ? measured(figures) : []), ...edited];
}

function measured(figures) {
  const rows = [
    ["prompt", `${count(figures.prompt_tokens)} tokens, ${count(figures.cached_tokens)} of them cached`],
    ["answer", `${count(figures.tokens)} tokens, ${count(figures.reasoning_tokens ?? 0)} of them reasoning`],
  ];
  if (figures.drafted_tokens) rows.push(["drafts", `${count(figures.drafted_tokens)} tokens, ${count(figures.accepted_tokens)} of them accepted`]);
  for (const name of ["adapter", "device", "revision"]) if (figures[name]) rows.push([name, figures[name]]);
  rows.push(["time", `${seconds(figures.total_s ?? 0)} in total`]);
  if (figures.continued) rows.push(["continued", figures.continued === 1 ? "once" : `${figures.continued} times`]);
  if (figures.reason) rows.push(["finish reason", figures.reason]);
  return rows;
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : value);
