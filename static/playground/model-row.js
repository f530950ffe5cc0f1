/** One model in the picker's list: an option, and beside it, outside of the list box, what else can be done with the model. */
import { element, icon } from "./element.js";
import { context, memoryOf } from "./format.js";
import { isInMemory, kindOf } from "./model-groups.js";
import { stateText } from "./models.js";

export class ModelRow {
  /**
   * @param {import("./models.js").Model} model
   * @param {boolean} mayManage whether the visitor may load and unload models
   * @param {{onPick: () => void, onStar: () => void, onLoad: (model: object) => void, onUnload: (model: object) => void, onExplain: (model: object) => void}} acts
   */
  constructor(model, mayManage, acts) {
    this.model = model;
    this.id = `model-${encodeURIComponent(model.id)}`;
    this.dot = element("span", { className: "dot" });
    this.facts = element("span", { className: "option-facts" });
    this.bar = element("span", { className: "option-bar", hidden: true });
    this.option = element("li", { role: "option", id: this.id, className: "option", "aria-selected": "false", onclick: acts.onPick },
      this.dot, element("span", { className: "option-name" }, ...nameParts(model.id)), this.facts, this.bar);
    this.light = element("a", { href: "#self-test", className: "option-light", tabIndex: -1, hidden: true });
    this.light.addEventListener("click", (event) => { event.preventDefault(); acts.onExplain(this.model); });
    this.star = button("star", () => acts.onStar());
    this.load = mayManage ? button("load", () => (isInMemory(this.model) ? acts.onUnload : acts.onLoad)(this.model)) : null;
    this.beside = element("div", { className: "option-acts", role: "group", "aria-label": model.id }, ...(this.load ? [this.load] : []), this.star);
    this.star.append(icon("star"));
    this.nodes = [this.option, this.beside, this.light];
  }

  /** @param {number} row of the grid, the next one has the self-test's words */
  place(row) {
    for (const node of [this.option, this.beside]) node.style.gridRow = String(row);
    this.light.style.gridRow = String(row + 1);
  }

  /** @param {import("./models.js").Model} model @param {{isPicked: boolean, isFavourite: boolean}} state */
  show(model, { isPicked, isFavourite }) {
    this.model = model;
    const what = kindOf(model);
    const facts = model.reason || `${what} · ${model.sees ? "sees pictures · " : ""}${memoryOf(model)} · ${context(model.context_length)}\u00a0context`;
    this.dot.dataset.state = model.state;
    setText(this.facts, [stateText(model), facts].filter(Boolean).join(" · "));
    this.bar.hidden = model.state !== "loading";
    this.bar.style.width = `${model.loaded_percent}%`;
    this.option.classList.toggle("is-picked", isPicked);
    this.option.setAttribute("aria-current", String(isPicked));
    this.star.setAttribute("aria-pressed", String(isFavourite));
    this.star.setAttribute("aria-label", `Favourite ${model.id}`);
    this.star.title = isFavourite ? "Remove from favourites" : "Add to favourites";
    this.#showLoad(model);
    this.#showLight(model);
  }

  /** The active row's buttons are tab stops, and no other's. */
  activate(isActive) {
    this.option.setAttribute("aria-selected", String(isActive));
    for (const node of [this.star, this.load, this.light]) if (node) node.tabIndex = isActive ? 0 : -1;
  }

  #showLoad(model) {
    if (!this.load) return;
    const name = isInMemory(model) ? "Unload" : "Load";
    setText(this.load, name);
    this.load.setAttribute("aria-label", `${name} ${model.id}`);
    this.load.disabled = model.state === "draining";
  }

  #showLight(model) {
    const { text: all = "", tone } = model.self_test ?? {};
    const limits = tone === "green" ? "" : all;
    this.light.hidden = !limits;
    this.light.className = `option-light is-${tone}`;
    setText(this.light, limits);
    if (limits) this.option.setAttribute("aria-description", limits);
    else this.option.removeAttribute("aria-description");
  }
}

/** A model's id as its owner and its name, of which the owner may go where little fits. @param {string} id */
export function nameParts(id) {
  const end = id.lastIndexOf("/") + 1;
  const name = element("span", {}, id.slice(end));
  return end ? [element("span", { className: "model-owner" }, id.slice(0, end)), name] : [name];
}

function button(name, onclick) {
  return element("button", { type: "button", className: `option-${name}`, tabIndex: -1, onclick });
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
