/** The keys that do something wherever the focus is. The dialog that lists them is made of the same table. */
import { element } from "./element.js";
import { inOrder, isCommand, keyName } from "./platform.js";

/**
 * `act` names what a shortcut calls; those without one are handled where they are typed, and only listed. None is a key
 * that browsers keep for pages, windows, printing, finding, or developer tools.
 * @type {{keys: string[], does: string, act?: string}[]}
 */
export const SHORTCUTS = [
  { keys: ["Enter"], does: "Send" },
  { keys: ["Shift", "Enter"], does: "New line" },
  { keys: ["↑"], does: "Edit your last question (in an empty field)" },
  { keys: ["Esc"], does: "Close what is open, or stop the answer" },
  { keys: ["Mod", "K"], does: "Search chats", act: "onSearch" },
  { keys: ["Mod", "Shift", "O"], does: "New chat", act: "onNew" },
  { keys: ["Mod", "B"], does: "Show or hide the sidebar", act: "onSidebar" },
  { keys: ["Mod", "."], does: "Settings", act: "onSettings" },
  { keys: ["Mod", "Shift", "'"], does: "Copy the last answer", act: "onCopyAnswer" },
  { keys: ["Mod", "Shift", ";"], does: "Copy the last code block", act: "onCopyCode" },
  { keys: ["Mod", "'"], does: "Open the last answer's menu: edit, continue, delete…", act: "onAnswerMenu" },
  { keys: ["Mod", ";"], does: "Regenerate the last answer…", act: "onRegenerate" },
  { keys: ["Mod", "/"], does: "Show these shortcuts", act: "onHelp" },
  { keys: ["?"], does: "Show these shortcuts (outside of a field)" },
];
const CODES = { "'": "Quote", ";": "Semicolon" }; // with Shift, and on other keyboards, these keys send another sign

/** @param {Record<string, () => void>} acts by the names in SHORTCUTS */
export function listenToKeys(acts) {
  const help = document.querySelector("#help");
  const all = { ...acts, onHelp: () => help.showModal() };
  fill(help.querySelector("dl"));
  for (const key of document.querySelectorAll("#hint kbd")) key.textContent = keyName(key.textContent);
  document.querySelector("#help-button").addEventListener("click", all.onHelp);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || document.querySelector("dialog:modal")) return;
    const act = isCommand(event) ? SHORTCUTS.find((one) => isPressed(one, event))?.act : helpOutsideOfFields(event);
    if (!act) return;
    event.preventDefault();
    all[act]();
  });
}

function isPressed({ keys, act }, { key, code, shiftKey }) {
  if (!act) return false;
  const last = keys.at(-1);
  const needsShift = keys.includes("Shift");
  if (/^[A-Z]$/.test(last)) return letterOf(key, code) === last && shiftKey === needsShift;
  if (CODES[last] && code === CODES[last]) return shiftKey === needsShift;
  return key === last && (shiftKey || !needsShift);
}

/** Where a keyboard writes no Latin letters, a key counts as the letter that others have at its place. */
const letterOf = (key, code) => (/^\p{Script=Latin}$/u.test(key) ? key.toUpperCase() : code.replace(/^Key/, ""));

function helpOutsideOfFields({ key, target, ctrlKey, metaKey, altKey }) {
  const isTyping = target.closest?.("input, textarea, select, [contenteditable]");
  return key === "?" && !isTyping && !ctrlKey && !metaKey && !altKey ? "onHelp" : undefined;
}

function fill(list) {
  list.replaceChildren(...SHORTCUTS.flatMap(({ keys, does }) => [
    element("dt", {}, ...inOrder(keys).flatMap((key) => [element("kbd", {}, keyName(key)), " "])),
    element("dd", {}, does),
  ]));
}
