/** A short notice at the foot of the page, with at most one thing to do about it. */
import { element } from "./element.js";

const SHOWN_MS = 8000;
let timer = null;

/** @param {string} words @param {{name: string, act: () => void}} [action] */
export function toast(words, action) {
  const root = document.querySelector("#toast");
  const close = () => { root.hidden = true; };
  const button = action && element("button", { type: "button", onclick: () => { close(); action.act(); } }, action.name);
  root.replaceChildren(element("span", {}, words), ...(button ? [button] : []));
  root.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(close, SHOWN_MS);
}
