/** The visitor's generation settings, stored in this browser. */
import { Popup } from "./popup.js";
import { store } from "./store.js";

const NUMBERS = [
  "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
  "max_tokens", "seed",
];
/** The request fields of each other setting. */
const REQUEST_FIELDS = {
  stop: (text) => ({ stop: text.split("\n").filter((line) => line) }),
  thinking: (choice) => ({ chat_template_kwargs: { enable_thinking: choice === "on" } }),
  tools: (text) => ({ tools: JSON.parse(text).map((tool) => (tool.type ? tool : { type: "function", function: tool })) }),
  probabilities: () => ({ logprobs: true, top_logprobs: 5 }),
  schema: (text) => ({
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(text) } },
  }),
};
/** Errors in values that the browser accepts; empty for a valid value. */
const CHECKS = {
  stop: (text) => (text.split("\n").filter((line) => line).length > 4 ? "Enter at most 4 lines." : ""),
  tools: (text) => (text.trim() ? problemOf(text, Array.isArray, "Tools must be a JSON list: [{\"name\": …}].") : ""),
  schema: (text) => (text.trim() ? problemOf(text, isObject, "A schema must be a JSON object.") : ""),
};
const NAMES = ["system", ...NUMBERS, ...Object.keys(REQUEST_FIELDS)];
const DEFAULTS = Object.fromEntries(NAMES.map((name) => [name, ""]));

export class Settings {
  constructor() {
    this.panel = document.querySelector("#settings-panel");
    this.fields = NAMES.map((name) => this.panel.querySelector(`[name=${name}]`));
    this.values = { ...DEFAULTS, ...store.read("settings") };
    new Popup(document.querySelector("#settings-button"), this.panel, () => this.fields[0].focus());
    this.panel.addEventListener("input", (event) => this.#update(event.target));
    this.panel.querySelector("#settings-reset").addEventListener("click", () => this.#reset());
    this.#show();
  }

  /** Load the settings that a conversation was last used with. */
  load(values) {
    this.values = { ...DEFAULTS, ...values };
    this.#save();
    this.#show();
  }

  /** The request fields of the settings that have a value. */
  get requestFields() {
    const given = Object.entries(this.values).filter(([name, value]) => NAMES.includes(name) && value.trim() !== "");
    const numbers = given.filter(([name]) => NUMBERS.includes(name)).map(([name, value]) => ({ [name]: Number(value) }));
    const others = given.filter(([name]) => name in REQUEST_FIELDS).map(([name, value]) => REQUEST_FIELDS[name](value));
    return Object.assign({}, ...numbers, ...others);
  }

  /** Save a changed field; a wrong value is marked in its field and not saved. */
  #update(field) {
    if (!(field.name in DEFAULTS)) return;
    this.#check(field);
    if (!field.validity.valid) return;
    this.values[field.name] = field.value;
    this.#save();
  }

  #check(field) {
    const problem = CHECKS[field.name]?.(field.value) ?? "";
    field.setCustomValidity(problem);
    const line = this.panel.querySelector(`#${field.id}-problem`);
    if (line) line.textContent = problem;
  }

  #reset() {
    this.values = { ...DEFAULTS };
    this.#save();
    this.#show();
  }

  #save() {
    store.write("settings", this.values);
    this.#mark();
  }

  #show() {
    for (const field of this.fields) {
      field.value = this.values[field.name];
      this.#check(field);
    }
    this.#mark();
  }

  #mark() {
    const isChanged = NAMES.some((name) => this.values[name] !== DEFAULTS[name]);
    document.querySelector("#settings-button .changed").hidden = !isChanged;
  }
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function problemOf(text, isRight, otherwise) {
  try {
    return isRight(JSON.parse(text)) ? "" : otherwise;
  } catch (error) {
    return `This is not valid JSON: ${error.message}`;
  }
}
