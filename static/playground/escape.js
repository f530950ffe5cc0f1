/** What Escape does where no field, menu or dialog has used it: it closes what is open; with nothing open it stops. */
import { Popup } from "./popup.js";

/** @param {{closeDrawer(): boolean, leaveField(): void, stop(): void}} acts `closeDrawer`: whether one was open */
export function listenToEscape({ closeDrawer, leaveField, stop }) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (document.querySelector("dialog:modal, [popover=auto]:popover-open")) return; // the browser closes these
    event.preventDefault();
    if (Popup.closeNewest() || clearSearch(event.target) || closePanel(event.target) || closeDrawer()) return;
    if (isOtherField(event.target)) leaveField();
    else stop();
  });
}

/** Chrome empties a search field itself, Firefox does not. */
function clearSearch(field) {
  if (!(field instanceof HTMLInputElement) || field.type !== "search" || !field.value) return false;
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
}

/** A menu, or a panel whose button has the focus, or nothing has: a click on the panel's text takes it away. */
function closePanel(target) {
  const menu = document.querySelector('[aria-haspopup="menu"][aria-expanded="true"]');
  const buttons = [...document.querySelectorAll("[role=dialog]:not([hidden])")].map(({ id }) => document.querySelector(`[aria-controls="${id}"][aria-expanded="true"]`));
  const button = menu ?? buttons.findLast((one) => one && (target === one || target === document.body));
  button?.click();
  button?.focus();
  return Boolean(button);
}

function isOtherField(target) {
  return target.id !== "prompt" && target.closest?.("input, textarea, select, [contenteditable]");
}
