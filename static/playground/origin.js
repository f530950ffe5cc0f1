/** The line above a chat that says whose it is, or where it is from: branched from another, copied from a shared one, or shared. */
import { element } from "./element.js";

/** @param {string} name of an account's owner, empty for a visitor without one */
export const ownerText = (name) => name || "a visitor without an account";

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @param {(id: string) => void} onOpen
 */
export function showOrigin(conversation, onOpen) {
  const line = element("p", { className: "origin", hidden: true });
  document.querySelector("#thread").before(line);
  conversation.addEventListener("branch", () => {
    const parts = originParts(conversation, onOpen);
    line.hidden = !parts.length;
    line.replaceChildren(...parts);
  });
}

/** @returns {(Node | string)[]} */
function originParts({ origin, copiedFrom, owner }, onOpen) {
  if (owner !== null) return [`A chat of ${ownerText(owner)}, shared with all users who may chat here.`];
  if (origin) return ["Branched from ", linkTo(origin, onOpen)];
  return copiedFrom === null ? [] : [`Your copy of a chat that ${ownerText(copiedFrom)} shared.`];
}

function linkTo({ id, title }, onOpen) {
  const link = element("a", { href: `/c/${id}` }, title);
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    onOpen(id);
  });
  return link;
}
