/** Copying, also on a plain-http address beyond loopback, where browsers hide navigator.clipboard. */
import { element, icon } from "./element.js";

/** @param {() => string} text @param {string} label @returns {HTMLButtonElement} */
export function copyButton(text, label) {
  const button = element("button", { type: "button", className: "mini copy", title: label, "aria-label": label }, icon("copy"));
  button.addEventListener("click", async () => {
    await copy(text());
    button.replaceChildren(icon("check"), "Copied");
    setTimeout(() => button.replaceChildren(icon("copy")), 1600);
  });
  return button;
}

export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text).catch(() => copyBySelection(text));
    return;
  }
  copyBySelection(text);
}

function copyBySelection(text) {
  const area = element("textarea", { value: text, className: "unseen" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
