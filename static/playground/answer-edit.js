/** The form in which an answer is edited; it closes once the server has saved the text, or on Escape. */
import { element } from "./element.js";

const MAX_SHARE = 0.45; // of the window, so that the buttons below the field stay in sight

/**
 * @param {string} text
 * @param {{onSave: (text: string) => Promise<boolean>, onClose: () => void, onCancel: (text: string) => void}} acts
 *   `onSave` returns whether it was saved
 * @returns {HTMLFormElement}
 */
export function answerForm(text, { onSave, onClose, onCancel }) {
  const field = element("textarea", { value: text, "aria-label": "Edit the answer", dir: "auto" });
  const save = element("button", { type: "submit", className: "firm" }, "Save");
  const cancel = element("button", { type: "button", className: "plain", onclick: () => onCancel(field.value) }, "Cancel");
  const note = element("p", { className: "note" }, "The original stays as an earlier version.");
  const form = element("form", { className: "edit is-answer", "aria-label": "Edit the answer" }, field, element("div", { className: "edit-row" }, note, cancel, save));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!field.value.trim() || save.disabled) return;
    save.disabled = true;
    if (await onSave(field.value)) onClose();
    save.disabled = false;
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); onCancel(field.value); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, MAX_SHARE * innerHeight)}px`;
  };
  field.addEventListener("input", fit);
  requestAnimationFrame(() => { fit(); field.focus(); form.scrollIntoView({ block: "nearest" }); });
  return form;
}
