/** A short notice at the bottom of the page, with at most one action. */
import { element } from "./element.js";

const SHOWN_MS = 8000;
let timer = null;

/** @param {string} text @param {{name: string, act: () => void}} [action] */
export function toast(text, action) {
  const root = document.querySelector("#toast");
  const close = () => { root.hidden = true; };
  const button = action && element("button", { type: "button", onclick: () => { close(); action.act(); } }, action.name);
  root.replaceChildren(element("span", {}, text), ...(button ? [button] : []));
  root.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(close, SHOWN_MS);
}
