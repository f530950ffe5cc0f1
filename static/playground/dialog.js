/** A question or an explanation in a modal dialog. */
import { element } from "./element.js";

/**
 * @param {HTMLElement} place that the dialog becomes a part of, such as the panel it was opened from
 * @param {{title: string, texts: string[], act?: string, cancel?: string}} content without `act` there is nothing to decide
 * @returns {Promise<boolean>} whether `act` was pressed
 */
export function ask(place, { title, texts, act, cancel = "Cancel" }) {
  const heading = element("h2", { id: "ask-title" }, title);
  const close = element("button", { type: "submit", className: act ? "plain-button" : "button", value: "no" }, act ? cancel : "Close");
  const buttons = act ? [close, element("button", { type: "submit", className: "button", value: "yes", autofocus: true }, act)] : [close];
  const dialog = element("dialog", { className: "ask", "aria-labelledby": "ask-title" },
    element("form", { method: "dialog" }, heading, ...texts.map((text) => element("p", {}, text)), element("div", { className: "ask-buttons" }, ...buttons)));
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // Escape is meant for the dialog alone
  place.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
  });
}
