/** Short questions in a dialog of their own: a name, or whether something is to be done. */
import { element } from "./element.js";

/**
 * Ask for a name. The dialog closes once `act` has succeeded; its error is shown beside the field.
 * @param {{title: string, label: string, value?: string, name: string, maxLength?: number}} facts `name` is the button's
 * @param {(name: string) => Promise<HTMLElement | void>} act returns what gets the focus where the element that had it is gone
 */
export function askName({ title, label, value = "", name, maxLength = 100 }, act) {
  const problem = element("p", { className: "problem", role: "alert" });
  const field = element("input", { value, maxLength, required: true, autocomplete: "off", "aria-label": label, placeholder: label });
  const send = element("button", { type: "submit", className: "button" }, name);
  const dialog = open(title, element("div", { className: "fields" }, field), problem, actions(send));
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text || send.disabled) return;
    send.disabled = true;
    try {
      close(dialog, await act(text));
    } catch (error) {
      problem.textContent = error.message;
    }
    send.disabled = false;
  });
  field.select();
}

/**
 * Ask before something that cannot be undone.
 * @param {{title: string, text: string, name: string}} facts
 * @param {() => Promise<HTMLElement | void>} act as of askName
 */
export function askFirst({ title, text, name }, act) {
  const problem = element("p", { className: "problem", role: "alert" });
  const send = element("button", { type: "submit", className: "button is-wrong" }, name);
  const dialog = open(title, element("p", {}, text), problem, actions(send));
  dialog.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    try {
      close(dialog, await act());
    } catch (error) {
      problem.textContent = error.message;
    }
    send.disabled = false;
  });
  dialog.querySelector("button.plain").focus();
}

/** A dialog with a form of these parts; it leaves the page when it closes. @returns {HTMLDialogElement} */
export function open(title, ...parts) {
  const heading = element("h2", {}, title);
  const dialog = element("dialog", { className: "help small-dialog", "aria-label": title }, element("form", { method: "dialog" }, heading, ...parts));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") event.stopPropagation(); });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function close(dialog, next) {
  dialog.close();
  const { activeElement } = document; // of the dialog for a while yet, where the element before is gone
  if (activeElement === document.body || dialog.contains(activeElement)) next?.focus();
}

function actions(send) {
  const cancel = element("button", { type: "button", className: "plain", onclick: (event) => event.target.closest("dialog").close() }, "Cancel");
  return element("div", { className: "dialog-row" }, cancel, send);
}
