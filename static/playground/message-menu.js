/** A menu of acts at a button: arrow keys, Home, End and first letters move; Escape and Tab close it and give the focus back. */
import { element } from "./element.js";

const GAP_PX = 4;
const EDGE_PX = 8;

/**
 * @typedef {{name: string, detail?: string | Promise<string>, isOff?: boolean, act: () => void}} Entry an act; one that is
 *   off says in `detail` why, and what is asked for first comes later
 * @typedef {{heading: string}} Heading
 */

/** @type {Menu | null} the menu that is open */
let opened = null;
let menus = 0;

/**
 * Open a menu at `button`, or close the one that is open there.
 * @param {HTMLButtonElement} button @param {string} label @param {(Entry | Heading)[]} entries
 */
export function toggleMenu(button, label, entries) {
  const isOpenHere = opened?.button === button;
  opened?.close();
  if (!isOpenHere) opened = new Menu(button, label, entries);
}

/** @param {() => (Entry | Heading)[] | Promise<(Entry | Heading)[]>} entries made each time it opens @returns {HTMLButtonElement} a button with a menu */
export function menuButton({ label, title = label, className = "mini" }, entries, ...children) {
  const button = element("button", { type: "button", className, title, "aria-label": label, "aria-haspopup": "menu", "aria-expanded": "false" }, ...children);
  button.addEventListener("click", async () => toggleMenu(button, label, await entries()));
  button.addEventListener("keydown", async (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    if (opened?.button !== button) toggleMenu(button, label, await entries());
    if (event.key === "ArrowUp") opened?.focus(-1);
  });
  return button;
}

class Menu {
  constructor(button, label, entries) {
    this.button = button;
    menus += 1;
    this.root = element("div", { className: "panel menu verbs-menu", role: "menu", "aria-label": label, popover: "manual" },
      ...entries.map((entry, place) => (entry.heading ? heading(entry) : this.#item(entry, `menu-${menus}-${place}`))));
    this.items = [...this.root.querySelectorAll("[role=menuitem]")];
    button.after(this.root); // in the button's landmark, and the next thing that a screen reader comes to
    button.setAttribute("aria-expanded", "true");
    this.root.showPopover(); // above everything, also where a parent is cut off or transformed
    this.#place();
    this.onAway = (event) => { if (!this.root.contains(event.target) && !button.contains(event.target)) this.close(); };
    document.addEventListener("pointerdown", this.onAway, true);
    this.onMove = (event) => { if (!this.root.contains(event.target)) this.#place(); }; // an answer may grow meanwhile
    document.addEventListener("scroll", this.onMove, true);
    addEventListener("resize", this.onMove);
    this.root.addEventListener("keydown", (event) => this.#onKey(event));
    this.root.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.root.contains(relatedTarget) && relatedTarget !== button) this.close();
    });
    this.focus(0);
  }

  /** @param {number} place of an item; from the end if it is negative, and beyond either end it goes round */
  focus(place) {
    const item = this.items[(place + this.items.length) % this.items.length];
    for (const other of this.items) other.tabIndex = other === item ? 0 : -1;
    item?.focus();
  }

  close() {
    if (opened === this) opened = null;
    document.removeEventListener("pointerdown", this.onAway, true);
    document.removeEventListener("scroll", this.onMove, true);
    removeEventListener("resize", this.onMove);
    this.button.setAttribute("aria-expanded", "false");
    this.root.remove();
  }

  #item({ name, detail, isOff, act }, id) {
    const shown = detail ? [element("small", { id }, typeof detail === "string" ? detail : "")] : [];
    if (detail instanceof Promise) detail.then((text) => { shown[0].textContent = text; this.#place(); });
    const item = element("button", {
      type: "button", role: "menuitem", tabIndex: -1, "aria-label": name,
      ...(detail ? { "aria-describedby": id } : {}), ...(isOff ? { "aria-disabled": "true" } : {}),
    }, element("span", {}, name), ...shown);
    item.addEventListener("click", () => {
      if (isOff) return;
      this.close();
      this.button.focus();
      act();
    });
    return item;
  }

  /** Below the button where there is space, else above it; never beyond the window. */
  #place() {
    const at = this.button.getBoundingClientRect();
    const below = innerHeight - at.bottom - GAP_PX - EDGE_PX;
    const above = at.top - GAP_PX - EDGE_PX;
    const isBelow = this.root.offsetHeight <= below || below >= above;
    this.root.style.maxHeight = `${Math.max(120, isBelow ? below : above)}px`;
    const top = isBelow ? at.bottom + GAP_PX : at.top - GAP_PX - this.root.offsetHeight;
    this.root.style.top = `${Math.max(EDGE_PX, top)}px`;
    this.root.style.left = `${Math.max(EDGE_PX, Math.min(at.left, innerWidth - this.root.offsetWidth - EDGE_PX))}px`;
  }

  #onKey(event) {
    const at = this.items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key] ?? this.#withLetter(event, at);
    if (to !== undefined) this.focus(to);
    else if (event.key === "Escape" || event.key === "Tab") this.#leave();
    else return;
    event.stopPropagation(); // Escape also stops an answer; this one was meant for the menu
    if (event.key !== "Tab") event.preventDefault(); // Tab goes on from the button
  }

  #leave() {
    this.close();
    this.button.focus();
  }

  /** The next item that begins with the letter that was pressed. */
  #withLetter({ key, ctrlKey, metaKey, altKey }, at) {
    if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey) return undefined;
    const order = [...this.items.keys()].map((step) => (at + 1 + step) % this.items.length);
    return order.find((place) => this.items[place].textContent.toLowerCase().startsWith(key.toLowerCase()));
  }
}

const heading = ({ heading: text }) => element("p", { className: "menu-head", role: "presentation" }, text);
