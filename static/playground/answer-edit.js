/** The form in which an answer is edited; it closes once the server has saved the text, or on Escape. */
import { drafts } from "./drafts.js";
import { element } from "./element.js";

const MAX_SHARE = 0.45; // of the window, so that the buttons below the field stay in sight

/**
 * @param {{key: string, text: string, isFocused: boolean, onSave: (text: string) => Promise<boolean>, onClose: () => void,
 *   onCancel: (text: string) => void}} options `key` names the text in drafts.js; `onSave` returns whether it was saved
 * @returns {HTMLFormElement}
 */
export function answerForm({ key, text, isFocused, onSave, onClose, onCancel }) {
  const field = element("textarea", { value: drafts.read(key) || text, "aria-label": "Edit the answer", dir: "auto" });
  const discard = () => { if (field.readOnly) return; drafts.clear(key); onCancel(field.value); };
  const save = element("button", { type: "submit", className: "firm" }, "Save");
  const cancel = element("button", { type: "button", className: "plain", onclick: () => discard() }, "Cancel");
  const note = element("p", { className: "note" }, "The original stays as an earlier version.");
  const problem = element("p", { className: "edit-problem", role: "alert" });
  const form = element("form", { className: "edit is-answer", "aria-label": "Edit the answer" }, field, problem, element("div", { className: "edit-row" }, note, cancel, save));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = field.value.trim() ? "" : "An answer cannot be empty. To remove it, cancel and choose “Delete”.";
    if (problem.textContent || save.disabled) return;
    const setSaving = (isSaving) => {
      field.readOnly = save.disabled = cancel.disabled = isSaving;
      form.setAttribute("aria-busy", String(isSaving));
    };
    setSaving(true);
    const isSaved = await onSave(field.value);
    setSaving(false);
    if (!isSaved) problem.textContent = "This was not saved. Your text is kept here.";
    else { drafts.clear(key); onClose(); }
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); discard(); }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); form.requestSubmit(); }
  });
  const fit = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight + 2, MAX_SHARE * innerHeight)}px`;
  };
  field.addEventListener("input", () => { drafts.write(key, field.value); fit(); });
  requestAnimationFrame(() => {
    fit();
    if (!isFocused) return;
    field.focus();
    form.scrollIntoView({ block: "nearest" });
  });
  return form;
}
