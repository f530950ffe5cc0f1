/** The line above a chat that was branched from another: a link back. */
import { element } from "./element.js";

/**
 * @param {import("./conversation.js").Conversation} conversation
 * @param {(id: string) => void} onOpen
 */
export function showOrigin(conversation, onOpen) {
  const line = element("p", { className: "origin", hidden: true });
  document.querySelector("#thread").before(line);
  conversation.addEventListener("branch", () => {
    const { origin } = conversation;
    line.hidden = !origin;
    if (!origin) return;
    const link = element("a", { href: `/c/${origin.id}` }, origin.title);
    link.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a tab of its own
      event.preventDefault();
      onOpen(origin.id);
    });
    line.replaceChildren("Branched from ", link);
  });
}
