/** Answers side by side: the columns scroll sideways, and each model's name stays on top while the page scrolls. */
import { element } from "./element.js";

/** @type {WeakMap<HTMLElement, Columns>} */
const known = new WeakMap();

/**
 * @param {{root: HTMLElement, message: {id: number, model: string}}[]} views of the answers
 * @returns {HTMLElement} the block that holds them; the one they are in already, where there is one
 */
export function columnsOf(views) {
  const block = views[0].root.closest(".comparison");
  const columns = known.get(block) ?? new Columns();
  known.set(columns.root, columns);
  columns.show(views);
  return columns.root;
}

class Columns {
  constructor() {
    this.names = element("div", { className: "columns-row" });
    this.columns = element("div", { className: "columns", role: "group", "aria-label": "Answers side by side", tabIndex: 0 });
    this.root = element("div", { className: "comparison message" },
      element("div", { className: "columns-names", "aria-hidden": "true" }, this.names), this.columns);
    this.columns.addEventListener("scroll", () => { this.names.style.transform = `translateX(${-this.columns.scrollLeft}px)`; }, { passive: true });
  }

  /** Columns that stay keep their nodes, and so their selection and place. */
  show(views) {
    const roots = views.map(({ root }) => root);
    for (const old of [...this.columns.children]) if (!roots.includes(old)) old.remove();
    for (const [place, root] of roots.entries()) {
      if (this.columns.children[place] !== root) this.columns.insertBefore(root, this.columns.children[place] ?? null);
    }
    this.names.replaceChildren(...views.map(({ message }) => element("p", { className: "columns-name" }, message.model)));
  }
}
