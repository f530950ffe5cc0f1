/** The dialog in which two to four models are chosen, to be asked side by side. */
import { element } from "./element.js";
import { context, memoryOf } from "./format.js";
import { kindOf, matches } from "./model-groups.js";
import { nameParts } from "./model-row.js";
import { stateText } from "./models.js";

const MOST = 4;
const TOO_MANY = "Four at most: untick another model first.";
const TOO_FEW = "Tick at least two models.";
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class ComparisonChoice {
  /** @param {import("./models.js").Models} models @param {() => void} onChosen */
  constructor(models, onChosen) {
    this.models = models;
    this.onChosen = onChosen;
    this.dialog = document.querySelector("#comparison");
    this.filter = this.dialog.querySelector("#comparison-filter");
    this.list = this.dialog.querySelector(".comparison-list");
    this.status = this.dialog.querySelector("[role=status]");
    this.chosen = new Set();
    this.filter.addEventListener("input", () => this.#list());
    this.dialog.addEventListener("keydown", (event) => { this.#move(event); event.stopPropagation(); });
    this.dialog.querySelector("form").addEventListener("submit", (event) => this.#submit(event));
    this.dialog.querySelector(".plain-button").addEventListener("click", () => this.dialog.close());
  }

  /** The models that are compared are ticked, or the one in use. */
  open() {
    const { compared, picked } = this.models;
    this.chosen = new Set(compared.length || !picked ? compared : [picked.id]);
    this.filter.value = "";
    this.#list();
    this.#say("");
    this.dialog.showModal();
    this.filter.focus();
  }

  #list() {
    const rows = this.models.all.filter((model) => matches(model, this.filter.value)).map((model, place) => this.#row(model, place));
    this.list.replaceChildren(...rows);
    if (!rows.length) this.list.append(element("p", { className: "note" }, `No model matches “${this.filter.value.trim()}”.`));
  }

  #row(model, place) {
    const box = element("input", { type: "checkbox", value: model.id, checked: this.chosen.has(model.id), tabIndex: place ? -1 : 0, "aria-label": model.id });
    box.addEventListener("click", (event) => this.#tick(event, box));
    box.addEventListener("focus", () => { for (const other of this.#boxes()) other.tabIndex = other === box ? 0 : -1; });
    const facts = [stateText(model), kindOf(model), memoryOf(model), `${context(model.context_length)} context`];
    return element("label", { className: "comparison-row" }, box, element("span", { className: "option-name" }, ...nameParts(model.id)),
      element("span", { className: "option-facts" }, facts.filter(Boolean).join(" · ")));
  }

  /** A fifth is refused; nothing else is unticked for it. */
  #tick(event, box) {
    if (box.checked && this.chosen.size >= MOST) {
      event.preventDefault();
      this.#say(TOO_MANY);
      return;
    }
    if (box.checked) this.chosen.add(box.value);
    else this.chosen.delete(box.value);
    this.#say("");
  }

  #boxes() {
    return [...this.list.querySelectorAll("input")];
  }

  #move(event) {
    if (!STEPS[event.key]) return;
    event.preventDefault();
    const boxes = this.#boxes();
    const to = boxes.indexOf(document.activeElement) + STEPS[event.key];
    if (to < 0) this.filter.focus();
    else boxes[Math.min(to, boxes.length - 1)]?.focus();
  }

  #submit(event) {
    event.preventDefault();
    const ids = this.models.all.map(({ id }) => id).filter((id) => this.chosen.has(id));
    if (ids.length < 2) {
      this.#say(TOO_FEW);
      return;
    }
    this.models.compare(ids);
    this.dialog.close();
    this.onChosen();
  }

  /** The number of ticks, with a problem before it. */
  #say(problem) {
    this.status.classList.toggle("is-problem", Boolean(problem));
    this.status.textContent = [problem, `${this.chosen.size} of ${MOST} chosen`].filter(Boolean).join(" ");
  }
}
