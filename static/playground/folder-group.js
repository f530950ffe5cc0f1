/** One folder in the list: it folds, takes conversations that are dropped on it, and has a menu. */
import { takesConversations } from "./drag.js";
import { answeringDot, element, icon, place } from "./element.js";
import { menuItem, opensMenu } from "./menu.js";
import { store } from "./store.js";

const FOLDED = "folded"; // the names of the folders that are folded in this browser

export class FolderGroup {
  /**
   * @param {string} name
   * @param {{onDrop: (id: string) => void, onMore: () => void, onRename: () => void, onDelete: () => void}} acts
   */
  constructor(name, acts) {
    this.name = name;
    this.note = element("p", { className: "note" }, "No chats here. Drag one, or choose “Move to folder” in its menu.");
    this.fold = element("button", { type: "button", className: "folder-fold" }, icon("chevron"), element("span", {}, name));
    this.answering = answeringDot();
    this.count = element("span", { className: "folder-count" });
    const more = element("button", { type: "button", className: "mini", "aria-label": `More about the folder ${name}` }, icon("more"));
    this.rows = element("div", { className: "folder-rows", role: "group", "aria-label": name });
    this.further = element("button", { type: "button", className: "quiet", onclick: acts.onMore }, "Show more");
    this.root = element("section", { className: "folder", "aria-label": `Folder ${name}` },
      element("div", { className: "folder-head popup" }, element("h3", { className: "group" }, this.fold), this.count, more), this.rows);
    this.fold.addEventListener("click", () => this.#toggle());
    takesConversations(this.root, acts.onDrop);
    opensMenu(more, () => [menuItem("Rename folder", acts.onRename), menuItem("Delete folder", acts.onDelete)]);
    this.#showFold();
  }

  /**
   * @param {import("./library.js").Folder} folder
   * @param {HTMLElement[]} rows
   * @param {boolean} isAnswering whether a chat in it is: its own dot is not seen while the folder is folded
   */
  show({ count, has_more: hasMore }, rows, isAnswering) {
    if (!isAnswering) this.answering.remove();
    else if (!this.answering.parentElement) this.fold.after(this.answering);
    this.count.textContent = String(count);
    this.count.setAttribute("aria-label", count === 1 ? "1 chat" : `${count} chats`);
    this.count.setAttribute("role", "img");
    place(this.rows, [...(rows.length || count ? rows : [this.note]), ...(hasMore ? [this.further] : [])]);
  }

  #toggle() {
    const others = (store.read(FOLDED) ?? []).filter((name) => name !== this.name);
    store.write(FOLDED, this.rows.hidden ? others : [...others, this.name]);
    this.#showFold();
  }

  #showFold() {
    this.rows.hidden = (store.read(FOLDED) ?? []).includes(this.name);
    this.fold.setAttribute("aria-expanded", String(!this.rows.hidden));
  }
}

/** The folder keeps its state under its new name. */
export function renameFold(name, newName) {
  const folded = store.read(FOLDED) ?? [];
  if (folded.includes(name)) store.write(FOLDED, [...folded.filter((one) => one !== name), newName]);
}
