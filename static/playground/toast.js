/** Short notices, in a place of their own between the conversation and the field. Each stays until it was read. */
import { element, icon } from "./element.js";

const MAX_SHOWN = 4;
const SHOWN_MS = 8000;
const WITH_ACTION_MS = 20_000; // to reach a button by keyboard takes longer than to read
const MS_PER_CHARACTER = 60;

/** @type {Toast[]} oldest first */
const shown = [];

/** The same notice again takes the place of the first, unless it undoes another act. @param {string} text @param {{name: string, act: () => void}} [action] */
export function toast(text, action) {
  if (action?.name !== "Undo") withdraw(text);
  while (shown.length >= MAX_SHOWN) (shown.find((one) => !one.hasAction) ?? shown[0]).close();
  shown.push(new Toast(text, action));
}

/** What had the focus is gone; what comes next by keyboard is to bring it back. */
export function focusUndo() {
  [...place.querySelectorAll(".toast-act")].findLast(({ textContent }) => textContent === "Undo")?.focus();
}

/** Close a notice that no longer holds. @param {string} text */
export function withdraw(text) {
  shown.find((one) => one.text === text)?.close();
}

const place = document.querySelector("#toast");
const home = place.parentElement;
const next = place.nextElementSibling;
const app = document.querySelector(".app");
const drawer = document.querySelector("#sidebar");

/** What covers the notices' place now, if anything: a dialog, the sidebar of a phone, or a panel over the page. */
function cover() {
  const dialog = [...document.querySelectorAll("dialog:modal")].at(-1);
  const isDrawer = !drawer.hidden && getComputedStyle(document.querySelector("#scrim")).display !== "none";
  return dialog ?? (isDrawer ? drawer : app.inert ? document.querySelector("[role=dialog]:not([hidden])") : null);
}

/** The notices move to what covers them, or nobody would see them. */
function settle() {
  const host = cover() ?? home;
  if (place.parentElement === host) return;
  if (host === home) home.insertBefore(place, next);
  else host.append(place);
}

for (const one of [drawer, app]) new MutationObserver(settle).observe(one, { attributeFilter: ["hidden", "inert"] });
for (const type of ["toggle", "close"]) document.addEventListener(type, settle, { capture: true });
for (const type of ["pointerenter", "focusin"]) place.addEventListener(type, () => shown.forEach((one) => one.wait()));
for (const type of ["pointerleave", "focusout"]) place.addEventListener(type, () => shown.forEach((one) => one.count()));
place.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.stopPropagation();
  shown.find(({ root }) => root.contains(event.target))?.close();
});

class Toast {
  constructor(text, action) {
    this.text = text;
    this.hasAction = Boolean(action);
    const act = action && element("button", { type: "button", className: "toast-act", onclick: () => { this.close(); action.act(); } }, action.name);
    const dismiss = element("button", { type: "button", className: "toast-dismiss", title: "Dismiss", "aria-label": "Dismiss", onclick: () => this.close() }, icon("close"));
    this.root = element("div", { className: "toast" }, element("span", {}, text), ...(act ? [act] : []), dismiss);
    settle();
    place.append(this.root);
    place.hidden = false;
    this.count();
  }

  /** Count down, unless somebody reads. */
  count() {
    this.wait();
    if (place.matches(":hover, :focus-within")) return;
    const ms = Math.max(this.hasAction ? WITH_ACTION_MS : SHOWN_MS, this.text.length * MS_PER_CHARACTER);
    this.timer = setTimeout(() => this.close(), ms);
  }

  wait() {
    clearTimeout(this.timer);
  }

  close() {
    this.wait();
    if (!shown.includes(this)) return;
    shown.splice(shown.indexOf(this), 1);
    const hadFocus = this.root.contains(document.activeElement);
    this.root.remove();
    place.hidden = shown.length === 0;
    if (hadFocus) (place.querySelector("button") ?? document.querySelector("#prompt")).focus();
  }
}
