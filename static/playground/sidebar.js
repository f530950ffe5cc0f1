/** The list of conversations beside the one that is open. */
import { copy } from "./clipboard.js";
import { ConversationRow } from "./conversation-row.js";
import { isDragging, takesConversations } from "./drag.js";
import { element, place } from "./element.js";
import { FolderGroup, renameFold } from "./folder-group.js";
import { excerpt } from "./format.js";
import { SearchField } from "./search-field.js";
import { store } from "./store.js";
import { focusUndo, toast } from "./toast.js";

const DAY_MS = 86_400_000;
const MONTH = new Intl.DateTimeFormat("en", { month: "long", year: "numeric" });

export class Sidebar {
  /**
   * @param {import("./library.js").Library} library
   * @param {{onOpen: (id: string, options?: {message?: number}) => void, onGone: (id: string) => void}} acts
   */
  constructor(library, acts) {
    this.library = library;
    this.acts = acts;
    this.root = document.querySelector("#sidebar");
    this.list = document.querySelector("#conversations");
    this.search = new SearchField(library, this.list);
    this.toggle = document.querySelector("#sidebar-toggle");
    this.unfiled = element("div", { className: "unfiled" });
    this.note = element("p", { className: "note" });
    /** @type {Map<string, HTMLElement>} */
    this.headings = new Map();
    this.openId = null;
    /** @type {Map<string, ConversationRow>} */
    this.rows = new Map();
    /** @type {Map<string, FolderGroup>} */
    this.groups = new Map();
    this.toggle.addEventListener("click", () => this.show(this.root.hidden));
    document.querySelector("#scrim").addEventListener("click", () => this.show(false));
    document.querySelector("#new-folder").addEventListener("click", () => this.#createFolder());
    takesConversations(this.unfiled, (id) => this.#move(id, ""));
    document.querySelector("#deleted-button").addEventListener("click", () => this.#openDeleted());
    this.#loadMoreAtEnd();
    this.isStale = false; // it has changed while a chat was dragged, which a moved row would end
    library.addEventListener("change", () => this.#renderUnlessDragging());
    document.addEventListener("dragend", () => { if (this.isStale) this.#renderUnlessDragging(); });
    this.show(store.read("sidebar") ?? matchMedia("(min-width: 60rem)").matches);
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.root.hidden = !isShown;
    this.toggle.setAttribute("aria-expanded", String(isShown));
    document.querySelector("#scrim").hidden = !isShown;
    if (matchMedia("(min-width: 60rem)").matches) store.write("sidebar", isShown);
    if (isShown) this.library.refresh();
  }

  /** On a phone the sidebar covers the conversation, so close it. */
  closeOnPhone() {
    if (!matchMedia("(min-width: 60rem)").matches) this.show(false);
  }

  /** Close the sidebar where it covers the conversation. @returns {boolean} whether it did */
  closeDrawer() {
    const isDrawer = !this.root.hidden && !matchMedia("(min-width: 60rem)").matches;
    if (isDrawer) this.show(false);
    return isDrawer;
  }

  focusSearch() {
    this.show(true);
    this.search.focus();
  }

  /** @param {string | null} id the conversation that is open */
  mark(id) {
    this.openId = id;
    for (const [one, row] of this.rows) row.mark(one === id);
  }

  /** Load the next page when the end comes into view, and as long as it stays there. */
  #loadMoreAtEnd() {
    const end = document.querySelector("#conversations-end");
    const isSeen = () => end.checkVisibility() && end.getBoundingClientRect().top < innerHeight;
    new IntersectionObserver(([seen]) => { if (seen.isIntersecting) this.library.more(); }).observe(end);
    this.library.addEventListener("change", () => requestAnimationFrame(() => { if (isSeen()) this.library.more(); }));
  }

  #renderUnlessDragging() {
    this.isStale = isDragging();
    if (!this.isStale) this.#render();
  }

  /** Rows keep their nodes, because rebuilding a list of thousands for each change is slow; and one that moves keeps the focus. */
  #render() {
    const focused = document.activeElement;
    this.#place();
    if (this.list.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  #place() {
    const { shownQuery, all, folders } = this.library;
    const pinned = this.#group("Pinned", all.filter((one) => one.is_pinned));
    const others = all.filter((one) => !one.is_pinned);
    const wanted = [...pinned, ...(shownQuery ? this.#group("Results", others) : this.#filed(folders, others))];
    this.note.textContent = shownQuery ? "No results." : "Your chats appear here.";
    place(this.list, wanted.length ? wanted : [this.note]);
    const known = new Set([...all, ...folders.flatMap(({ conversations }) => conversations)].map(({ id }) => id));
    for (const id of this.rows.keys()) if (!known.has(id)) this.rows.delete(id);
    const names = new Set(folders.map(({ name }) => name));
    for (const name of this.groups.keys()) if (!names.has(name)) this.groups.delete(name);
  }

  #filed(folders, others) {
    place(this.unfiled, this.#byDate(others));
    return [...folders.map((folder) => this.#folder(folder)), ...(others.length || folders.length ? [this.unfiled] : [])];
  }

  #group(name, listed) {
    if (!listed.length) return [];
    if (!this.headings.has(name)) this.headings.set(name, element("h3", { className: "group" }, name));
    return [this.headings.get(name), ...listed.map((one) => this.#rowOf(one))];
  }

  #byDate(listed) {
    const groups = new Map();
    for (const one of listed) {
      const name = dateOf(one);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(one);
    }
    return [...groups].flatMap(([name, ones]) => this.#group(name, ones));
  }

  #folder(folder) {
    const { name } = folder;
    if (!this.groups.has(name)) {
      this.groups.set(name, new FolderGroup(name, {
        onDrop: (id) => this.#move(id, name),
        onMore: () => this.#attempt(() => this.library.moreInFolder(name)),
        onRename: () => this.#renameFolder(name),
        onDelete: () => this.#deleteFolder(name),
      }));
    }
    const group = this.groups.get(name);
    const isAnswering = folder.conversations.some(({ id }) => this.library.answering.has(id));
    group.show(folder, folder.conversations.map((one) => this.#rowOf(one)), isAnswering);
    return group.root;
  }

  #rowOf(one) {
    if (!this.rows.has(one.id)) this.rows.set(one.id, new ConversationRow(one, this.#acts(one.id)));
    const row = this.rows.get(one.id);
    row.show(one, { isOpen: one.id === this.openId, isAnswering: this.library.answering.has(one.id) });
    return row.root;
  }

  #acts(id) {
    return {
      onOpen: (message) => this.acts.onOpen(id, { message }),
      onChange: (facts) => this.#attempt(() => this.library.change(id, facts)),
      onMove: () => this.#askFolder(id),
      onShare: (isShared) => this.#attempt(() => this.#share(id, isShared)),
      onDelete: () => this.#attempt(() => this.#delete(id)),
    };
  }

  #move(id, folder) {
    if (this.library.find(id)?.folder !== folder) this.#attempt(() => this.library.change(id, { folder }));
  }

  // What is rarely used is loaded when it is.

  async #openDeleted() {
    const { openDeleted } = await import("./deleted.js");
    openDeleted(this.library);
  }

  async #askFolder(id) {
    const { askFolder } = await import("./move-dialog.js");
    const names = this.library.folders.map(({ name }) => name);
    askFolder(this.library.find(id), names, (folder) => this.library.change(id, { folder }));
  }

  async #createFolder() {
    const { askName } = await import("./dialogs.js");
    askName({ title: "New folder", label: "Name", name: "Create" }, (name) => this.library.createFolder(name));
  }

  async #renameFolder(name) {
    const { askName } = await import("./dialogs.js");
    askName({ title: "Rename folder", label: "Name", value: name, name: "Rename" }, async (newName) => {
      renameFold(name, newName);
      await this.library.renameFolder(name, newName);
      return this.groups.get(newName)?.fold;
    });
  }

  async #deleteFolder(name) {
    const { askFirst } = await import("./dialogs.js");
    askFirst({ title: `Delete the folder “${name}”?`, text: "Its chats stay, outside of folders.", name: "Delete folder" }, async () => {
      await this.library.deleteFolder(name);
      return document.querySelector("#new-folder");
    });
  }

  /** A link that was only copied once more has nothing to undo. */
  async #share(id, isShared) {
    const wasShared = Boolean(this.library.find(id)?.share);
    const { share } = await this.library.share(id, isShared);
    if (!share) return toast("The chat is no longer shared.");
    await copy(new URL(`/s/${share}`, location.href).href);
    const undo = { name: "Undo", act: () => this.#attempt(() => this.#share(id, false)) };
    return toast("The link was copied. Users who may chat on this site can read the conversation, also later messages, but not change it.", wasShared ? undefined : undo);
  }

  async #delete(id) {
    const name = excerpt(this.library.find(id)?.title ?? "") || "The chat";
    if (!(await this.library.remove(id))) return;
    this.acts.onGone(id);
    toast(`${name} was deleted. It stays in “Deleted” for 30 days.`, { name: "Undo", act: () => this.#attempt(() => this.library.restore(id)) });
    if (document.activeElement === document.body) focusUndo();
  }

  /** @returns {Promise<boolean>} whether it succeeded */
  async #attempt(act) {
    try {
      await act();
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    }
  }
}

/** @param {import("./library.js").Listed} one @returns {string} the heading of its group */
function dateOf({ changed_at: changedAt }) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const age = midnight - Date.parse(changedAt);
  if (age <= 0) return "Today";
  if (age <= DAY_MS) return "Yesterday";
  if (age <= 7 * DAY_MS) return "Previous 7 days";
  return MONTH.format(new Date(changedAt));
}
