/** "Deleted": what was deleted in the last thirty days, to be restored or deleted for good. */
import { call } from "./api.js";
import { askFirst } from "./dialogs.js";
import { element } from "./element.js";

const ADDRESS = "/chat/deleted/";

let list = null;

/** @param {import("./library.js").Library} library */
export function openDeleted(library) {
  list ??= new DeletedList(library);
  list.open();
}

class DeletedList {
  /** @param {import("./library.js").Library} library */
  constructor(library) {
    this.library = library;
    this.dialog = document.querySelector("#deleted");
    this.list = document.querySelector("#deleted-list");
    this.empty = document.querySelector("#deleted-empty");
    this.problem = document.querySelector("#deleted-problem");
    this.dialog.addEventListener("keydown", (event) => { if (event.key === "Escape") event.stopPropagation(); });
    this.empty.addEventListener("click", () => this.#askToEmpty());
    document.querySelector("#deleted-close").addEventListener("click", () => this.dialog.close());
  }

  async open() {
    this.list.replaceChildren();
    this.dialog.showModal();
    await this.#load(0);
  }

  async #load(after) {
    await this.#attempt(async () => {
      const { conversations, has_more: hasMore, count } = await call("GET", `${ADDRESS}?${new URLSearchParams({ after })}`);
      const rows = conversations.map((one) => this.#row(one));
      const further = element("button", { type: "button", className: "quiet", onclick: () => { further.remove(); this.#load(this.list.children.length); } }, "Show more");
      this.count = count;
      if (after) this.list.append(...rows);
      else this.list.replaceChildren(...rows);
      if (hasMore) this.list.append(further);
      this.#showState();
    });
  }

  #row(one) {
    const days = one.days_left === 1 ? "1 day left" : `${one.days_left} days left`;
    const button = (name, act) => element("button", { type: "button", className: "plain", "aria-label": `${name} ${one.title}`, onclick: act }, name);
    const row = element("li", { className: "deleted-row" },
      element("span", { className: "deleted-title" }, one.title, element("span", { className: "note" }, days)),
      button("Restore", (event) => this.#attempt(async () => { await this.library.restore(one.id); this.#drop(row); }, event.target)),
      button("Delete for good", () => askFirst({
        title: "Delete for good?", text: `“${one.title}” cannot be restored afterwards.`, name: "Delete for good",
      }, async () => { await call("DELETE", `${ADDRESS}${one.id}/`); this.#drop(row); })));
    return row;
  }

  #askToEmpty() {
    const text = this.count === 1 ? "The chat in this list cannot be restored afterwards." : `The ${this.count} chats in this list cannot be restored afterwards.`;
    askFirst({ title: "Delete all for good?", text, name: "Delete all" }, async () => {
      await call("DELETE", ADDRESS);
      await this.#load(0);
    });
  }

  /** The focus goes to the row that takes its place. */
  #drop(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const hadFocus = row.contains(document.activeElement) || document.activeElement === document.body;
    row.remove();
    if (hadFocus) (next?.querySelector("button") ?? document.querySelector("#deleted-close")).focus();
    this.count -= 1;
    this.#showState();
  }

  #showState() {
    this.empty.disabled = !this.count;
    if (!this.count) this.list.replaceChildren(element("li", { className: "note" }, "Nothing was deleted in the last thirty days."));
  }

  /** @param {() => Promise<void>} act @param {HTMLButtonElement} [button] that began it, and does not begin it twice */
  async #attempt(act, button) {
    this.problem.textContent = "";
    if (button) button.disabled = true;
    try {
      await act();
    } catch (error) {
      this.problem.textContent = error.message;
      if (button) button.disabled = false;
    }
  }
}
