/** "Move to folder": the folders there are, none, or a new one. */
import { open } from "./dialogs.js";
import { element } from "./element.js";

/**
 * @param {import("./library.js").Listed} conversation
 * @param {string[]} folders
 * @param {(folder: string) => Promise<void>} move the dialog closes once it has succeeded
 */
export function askFolder(conversation, folders, move) {
  const problem = element("p", { className: "problem", role: "alert" });
  let isMoving = false;
  const attempt = async (folder) => {
    if (isMoving) return;
    isMoving = true;
    try {
      await move(folder);
      dialog.close();
    } catch (error) {
      problem.textContent = error.message;
    }
    isMoving = false;
  };
  const option = (name, text) => element("button", {
    type: "button", className: "choice", "aria-pressed": String(name === conversation.folder), onclick: () => attempt(name),
  }, text);
  const field = element("input", { maxLength: 100, autocomplete: "off", "aria-label": "New folder", placeholder: "New folder" });
  const create = element("button", { type: "submit", className: "button" }, "Create and move");
  const close = element("button", { type: "button", className: "plain", onclick: () => dialog.close() }, "Cancel");
  const dialog = open(
    "Move to folder",
    element("p", { className: "note" }, conversation.title),
    element("div", { className: "choices" }, option("", "No folder"), ...folders.map((name) => option(name, name))),
    element("div", { className: "fields" }, field),
    problem,
    element("div", { className: "dialog-row" }, close, create),
  );
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value.trim()) attempt(field.value.trim());
    else field.focus();
  });
}
