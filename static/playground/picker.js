/** The list of models in the header. */
import { element } from "./element.js";
import { context, size } from "./format.js";
import { stateText } from "./models.js";
import { Popup } from "./popup.js";

export class Picker {
  /** @param {import("./models.js").Models} models @param {() => void} onPick */
  constructor(models, onPick) {
    this.models = models;
    this.onPick = onPick;
    this.button = document.querySelector("#picker-button");
    this.list = document.querySelector("#picker-list");
    this.options = new Map();
    this.popup = new Popup(this.button, document.querySelector("#picker-panel"), () => this.#focusPicked());
    this.list.addEventListener("keydown", (event) => this.#move(event));
    models.addEventListener("change", () => this.#show());
    this.#show();
  }

  #show() {
    const { all, picked, compared, lost } = this.models;
    this.button.disabled = all.length === 0;
    this.button.querySelector(".dot").dataset.state = lost ? "unknown" : picked?.state ?? "unloaded";
    this.button.querySelector(".picker-name").textContent = compared.length ? `${compared.length} models side by side` : picked?.id ?? "No model";
    this.button.querySelector(".picker-state").textContent = lost ? "not connected" : picked && !compared.length ? stateText(picked) : "";
    this.#drop(all);
    for (const model of all) this.#optionOf(model).show(model, model === picked, this.models.comparedIds.includes(model.id));
  }

  /** Options keep their nodes, or the focus would be lost four times a second. */
  #optionOf(model) {
    if (!this.options.has(model.id)) {
      const option = new Option(() => this.#pick(model.id), (isCompared) => this.models.compare(model.id, isCompared));
      this.options.set(model.id, option);
      this.list.append(option.root);
    }
    return this.options.get(model.id);
  }

  #drop(all) {
    const known = new Set(all.map((model) => model.id));
    for (const [id, option] of this.options) {
      if (known.has(id)) continue;
      option.root.remove();
      this.options.delete(id);
    }
  }

  #pick(id) {
    this.models.pick(id);
    this.popup.close();
    this.onPick();
  }

  #focusPicked() {
    (this.list.querySelector("[aria-pressed=true]") ?? this.list.querySelector(".option"))?.focus();
  }

  #move(event) {
    const rows = [...this.list.querySelectorAll(".option")];
    const at = rows.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(to, rows.length - 1))]?.focus();
  }
}

class Option {
  constructor(onPick, onCompare) {
    this.dot = element("span", { className: "dot" });
    this.name = element("span", { className: "option-name" });
    this.state = element("span", { className: "option-state" });
    this.facts = element("span", { className: "option-facts" });
    this.option = element("button", { type: "button", className: "option" }, this.dot, this.name, this.state, this.facts);
    this.option.addEventListener("click", onPick);
    this.box = element("input", { type: "checkbox", onchange: () => onCompare(this.box.checked) });
    this.root = element("div", { className: "option-row" }, this.option, element("label", { className: "compare", title: "Compare this model with others" }, this.box, element("span", { className: "unseen" }, "Compare")));
  }

  /** @param {import("./models.js").Model} model @param {boolean} isPicked @param {boolean} isCompared */
  show(model, isPicked, isCompared) {
    this.box.checked = isCompared;
    this.box.setAttribute("aria-label", `Compare ${model.id}`);
    this.dot.dataset.state = model.state;
    this.name.textContent = model.id;
    this.state.textContent = stateText(model);
    const what = model.base ? `adapter of ${model.base}` : model.family;
    this.facts.textContent = model.reason || `${what} · ${size(model.resident_bytes)} · ${context(model.context_length)} tokens of context`;
    if (model.light === "amber" || model.light === "red") this.facts.append(" · self-test: ", element("span", { className: `light is-${model.light}` }, model.light));
    this.option.setAttribute("aria-pressed", String(isPicked));
  }
}
