/** How answers are drawn: the visitor's settings, kept in this browser. */
import { Popup } from "./popup.js";
import { store } from "./store.js";

const DEFAULTS = { system: "", temperature: "", top_p: "", max_tokens: "", seed: "" };

export class Settings {
  constructor() {
    this.panel = document.querySelector("#settings-panel");
    this.fields = Object.keys(DEFAULTS).map((name) => this.panel.querySelector(`[name=${name}]`));
    this.values = { ...DEFAULTS, ...store.read("settings") };
    new Popup(document.querySelector("#settings-button"), this.panel, () => this.fields[0].focus());
    this.panel.addEventListener("input", (event) => this.#take(event.target));
    this.panel.querySelector("#settings-reset").addEventListener("click", () => this.#reset());
    this.#show();
  }

  get system() {
    return this.values.system.trim();
  }

  /** The fields of a question that differ from saying nothing. */
  get sampling() {
    const numbers = Object.entries(this.values).filter(([name, value]) => name !== "system" && value !== "");
    return Object.fromEntries(numbers.map(([name, value]) => [name, Number(value)]));
  }

  /** A value the field itself calls wrong is marked there and not used. */
  #take(field) {
    if (!(field.name in DEFAULTS) || !field.validity.valid) return;
    this.values[field.name] = field.value === "" ? DEFAULTS[field.name] : field.value;
    this.#save();
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
    for (const field of this.fields) field.value = this.values[field.name];
    this.#mark();
  }

  #mark() {
    const isChanged = Object.keys(DEFAULTS).some((name) => this.values[name] !== DEFAULTS[name]);
    document.querySelector("#settings-button .changed").hidden = !isChanged;
  }
}
