/** The list of models in the header: a field that filters, and a list box that it steers. */
import { element } from "./element.js";
import { grouped, matches } from "./model-groups.js";
import { ModelRow, nameParts } from "./model-row.js";
import { stateText } from "./models.js";
import { Popup } from "./popup.js";

const PAGE = 8;

export class Picker {
  /**
   * @param {import("./models.js").Models} models
   * @param {import("./favourites.js").Favourites} favourites
   * @param {{mayManage: boolean, onPick: () => void}} options
   */
  constructor(models, favourites, { mayManage, onPick }) {
    Object.assign(this, { models, favourites, mayManage, onPick });
    this.button = document.querySelector("#picker-button");
    this.panel = document.querySelector("#picker-panel");
    this.field = this.panel.querySelector("#picker-filter");
    this.listbox = this.panel.querySelector("[role=listbox]");
    this.beside = this.panel.querySelector(".picker-beside");
    this.count = this.panel.querySelector("#picker-count");
    /** @type {Map<string, ModelRow>} */
    this.rows = new Map();
    /** @type {ModelRow[]} those that match, in order; the order stays while the list is open */
    this.shown = [];
    this.popup = new Popup(this.button, this.panel, () => this.#open());
    this.field.addEventListener("input", () => this.#arrange({ isTyped: true }));
    this.field.addEventListener("keydown", (event) => this.#steer(event));
    models.addEventListener("change", () => this.#show());
    favourites.addEventListener("change", () => this.#update());
    this.#show();
  }

  open() {
    this.popup.open();
  }

  #open() {
    this.field.value = "";
    this.#arrange({});
    this.field.focus();
    this.favourites.refresh();
  }

  #show() {
    const { all, picked, compared, lost, missing } = this.models;
    const name = compared.length ? `${compared.length} models side by side` : (all.length && missing[0]) || picked?.id || "No model";
    this.button.disabled = all.length === 0;
    this.button.title = compared.length ? compared.join(", ") : missing[0] ?? picked?.id ?? "";
    this.button.querySelector(".dot").dataset.state = lost ? "unknown" : picked?.state ?? "unloaded";
    const place = this.button.querySelector(".picker-name");
    if (place.textContent !== name) place.replaceChildren(...nameParts(name));
    this.button.querySelector(".picker-state").textContent = lost ? "not connected" : missing.length && all.length ? "not available" : picked && !compared.length ? stateText(picked) : "";
    const isKnown = all.every(({ id }) => this.rows.has(id)) && this.rows.size === all.length;
    if (isKnown) this.#update();
    else this.#arrange({});
  }

  /** Put the rows of the matching models into their groups; the active one stays where it is among them. */
  #arrange({ isTyped = false }) {
    const active = isTyped ? null : this.active?.model.id;
    const groups = grouped(this.models.all.filter((model) => matches(model, this.field.value)), this.favourites);
    const nodes = [];
    let row = 1;
    this.shown = [];
    for (const { name, models } of groups) {
      const label = element("span", { className: "picker-group", role: "presentation" }, name);
      const rows = models.map((model) => this.#row(model));
      label.style.gridRow = String(row);
      for (const [place, one] of rows.entries()) one.place(row + 1 + 2 * place);
      row += 1 + 2 * rows.length;
      nodes.push(element("ul", { role: "group", "aria-label": name }, label, ...rows.map(({ option }) => option)));
      this.shown.push(...rows);
    }
    this.listbox.replaceChildren(...nodes);
    this.beside.replaceChildren(...this.shown.flatMap(({ light, beside }) => [light, beside]));
    this.#forgetGone();
    this.#count();
    this.#update();
    const first = this.shown.find(({ model }) => model.id === (active ?? (isTyped ? "" : this.models.picked?.id)));
    this.#activate(first ?? this.shown[0]);
  }

  #row(model) {
    if (!this.rows.has(model.id)) {
      this.rows.set(model.id, new ModelRow(model, this.mayManage, {
        onPick: () => this.#pick(model.id),
        onStar: () => this.favourites.toggle(model.id),
        onLoad: async (now) => (await this.#loading()).load(now),
        onUnload: async (now) => (await this.#loading()).unload(now),
        onExplain: (now) => this.#explain(now),
      }));
    }
    return this.rows.get(model.id);
  }

  #forgetGone() {
    for (const id of this.rows.keys()) if (!this.models.all.some((model) => model.id === id)) this.rows.delete(id);
  }

  /** States change four times a second: the nodes stay, or the focus would be lost. */
  #update() {
    const { picked, compared, all } = this.models;
    for (const model of all) this.rows.get(model.id)?.show(model, { isPicked: model === picked && !compared.length, isFavourite: this.favourites.has(model.id) });
  }

  #count() {
    const { length } = this.shown;
    const text = length ? `${length} ${length === 1 ? "model" : "models"}` : `No model matches “${this.field.value.trim()}”.`;
    this.count.textContent = text;
    this.count.classList.toggle("unseen", length > 0);
  }

  #activate(row) {
    if (this.active !== row) this.active?.activate(false);
    this.active = row;
    row?.activate(true);
    this.field.setAttribute("aria-activedescendant", row?.id ?? "");
    row?.option.scrollIntoView({ block: "nearest" });
  }

  #pick(id) {
    this.models.pick(id);
    this.popup.close();
    this.onPick();
  }

  #steer(event) {
    const at = this.shown.indexOf(this.active);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + PAGE, PageUp: at - PAGE }[event.key];
    if (event.key === "Enter" && this.active) this.#pick(this.active.model.id);
    else if (to !== undefined) this.#activate(this.shown[Math.max(0, Math.min(to, this.shown.length - 1))]);
    else if (event.key !== "Enter") return;
    event.preventDefault();
  }

  /** Few visits load models. */
  async #loading() {
    const { ModelLoading } = await import("./model-loading.js");
    this.loading ??= new ModelLoading(this.models, this.panel);
    return this.loading;
  }

  async #explain(model) {
    const { ask } = await import("./dialog.js");
    const { text, texts } = model.self_test;
    const intro = `When ${model.id} was loaded, the server tested its chat template, roles, stop tokens and tools. It found:`;
    ask(this.panel, { title: text, texts: [intro, ...texts] });
  }
}
