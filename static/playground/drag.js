/** Conversations that are dragged into a folder, or out of one. */

const TYPE = "application/x-mlxsite-conversation";
const DRAGGING = "is-dragging-conversation";

export const isDragging = () => document.body.classList.contains(DRAGGING);

/** @param {HTMLElement} link @param {() => string} id of the conversation */
export function dragsConversation(link, id) {
  link.draggable = true;
  link.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData(TYPE, id());
    event.dataTransfer.effectAllowed = "copyLinkMove";
    document.body.classList.add(DRAGGING);
  });
  link.addEventListener("dragend", () => document.body.classList.remove(DRAGGING));
}

/** @param {HTMLElement} target @param {(id: string) => void} onDrop */
export function takesConversations(target, onDrop) {
  const isOurs = (event) => event.dataTransfer.types.includes(TYPE);
  target.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
    target.classList.add("is-target");
  });
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget)) target.classList.remove("is-target");
  });
  target.addEventListener("drop", (event) => {
    target.classList.remove("is-target");
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    onDrop(event.dataTransfer.getData(TYPE));
  });
}
