/** How answers are made: the visitor's settings, kept in this browser. */
import { Popup } from "./popup.js";
import { store } from "./store.js";

const NUMBERS = [
  "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
  "max_tokens", "seed",
];
/** What each other setting adds to a question. */
const MEANINGS = {
  stop: (text) => ({ stop: text.split("\n").filter((line) => line) }),
  thinking: (choice) => ({ chat_template_kwargs: { enable_thinking: choice === "on" } }),
  tools: (text) => ({ tools: JSON.parse(text).map((tool) => (tool.type ? tool : { type: "function", function: tool })) }),
  probabilities: () => ({ logprobs: true, top_logprobs: 5 }),
  schema: (text) => ({
    response_format: { type: "json_schema", json_schema: { name: "answer", schema: JSON.parse(text) } },
  }),
};
/** What is wrong with a value that the browser itself finds nothing wrong with; empty when nothing is. */
const CHECKS = {
  stop: (text) => (text.split("\n").filter((line) => line).length > 4 ? "At most 4 lines, please." : ""),
  tools: (text) => (text.trim() ? problemOf(text, Array.isArray, "Tools are a JSON list: [{\"name\": …}].") : ""),
  schema: (text) => (text.trim() ? problemOf(text, isObject, "A schema is a JSON object.") : ""),
};
const NAMES = ["system", ...NUMBERS, ...Object.keys(MEANINGS)];
const DEFAULTS = Object.fromEntries(NAMES.map((name) => [name, ""]));

export class Settings {
  constructor() {
    this.panel = document.querySelector("#settings-panel");
    this.fields = NAMES.map((name) => this.panel.querySelector(`[name=${name}]`));
    this.values = { ...DEFAULTS, ...store.read("settings") };
    new Popup(document.querySelector("#settings-button"), this.panel, () => this.fields[0].focus());
    this.panel.addEventListener("input", (event) => this.#take(event.target));
    this.panel.querySelector("#settings-reset").addEventListener("click", () => this.#reset());
    this.#show();
  }

  /** Take over what a conversation was last asked with. */
  take(values) {
    this.values = { ...DEFAULTS, ...values };
    this.#save();
    this.#show();
  }

  /** The fields of a question that differ from saying nothing. */
  get wishes() {
    const given = Object.entries(this.values).filter(([name, value]) => NAMES.includes(name) && value.trim() !== "");
    const numbers = given.filter(([name]) => NUMBERS.includes(name)).map(([name, value]) => ({ [name]: Number(value) }));
    const others = given.filter(([name]) => name in MEANINGS).map(([name, value]) => MEANINGS[name](value));
    return Object.assign({}, ...numbers, ...others);
  }

  /** A value that is wrong is marked in its field and not used. */
  #take(field) {
    if (!(field.name in DEFAULTS)) return;
    this.#check(field);
    if (!field.validity.valid) return;
    this.values[field.name] = field.value;
    this.#save();
  }

  #check(field) {
    const problem = CHECKS[field.name]?.(field.value) ?? "";
    field.setCustomValidity(problem);
    const told = this.panel.querySelector(`#${field.id}-problem`);
    if (told) told.textContent = problem;
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
    return `This is not JSON yet: ${error.message}`;
  }
}
