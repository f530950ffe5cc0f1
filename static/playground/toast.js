/** Short notices, in a place of their own between the conversation and the field. Each stays until it was read. */
import { element, icon } from "./element.js";

const MAX_SHOWN = 4;
const SHOWN_MS = 8000;
const WITH_ACTION_MS = 20_000; // to reach a button by keyboard takes longer than to read
const MS_PER_CHARACTER = 60;

/** @type {Toast[]} oldest first */
const shown = [];

/** @param {string} text @param {{name: string, act: () => void}} [action] */
export function toast(text, action) {
  shown.find((one) => one.text === text)?.close();
  while (shown.length >= MAX_SHOWN) (shown.find((one) => !one.hasAction) ?? shown[0]).close();
  shown.push(new Toast(text, action));
}

/** The notices' place. It moves into the sidebar while that covers the page, or nobody would see them. */
const place = document.querySelector("#toast");
const home = place.parentElement;
const drawer = document.querySelector("#sidebar");
const scrim = document.querySelector("#scrim");
const settle = () => {
  const isCovered = !drawer.hidden && getComputedStyle(scrim).display !== "none";
  const host = isCovered ? drawer : home;
  if (place.parentElement === host) return;
  if (isCovered) drawer.append(place);
  else home.insertBefore(place, home.querySelector(":scope > .dock"));
};
new MutationObserver(settle).observe(drawer, { attributeFilter: ["hidden"] });
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

  /** Count down, unless somebody reads or a dialog covers the notices. */
  count() {
    this.wait();
    if (place.matches(":hover, :focus-within")) return;
    const ms = Math.max(this.hasAction ? WITH_ACTION_MS : SHOWN_MS, this.text.length * MS_PER_CHARACTER);
    this.timer = setTimeout(() => (document.querySelector("dialog:modal") ? this.count() : this.close()), ms);
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
