/** The list of conversations beside the one that is open. */
import { copy } from "./clipboard.js";
import { element, icon } from "./element.js";
import { Popup } from "./popup.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const SEARCH_AFTER_MS = 200;
const DAY_MS = 86_400_000;

export class Sidebar {
  /**
   * @param {import("./library.js").Library} library
   * @param {{onOpen: (id: string) => void, onGone: (id: string) => void}} acts
   */
  constructor(library, acts) {
    this.library = library;
    this.acts = acts;
    this.root = document.querySelector("#sidebar");
    this.list = document.querySelector("#conversations");
    this.search = document.querySelector("#search");
    this.toggle = document.querySelector("#sidebar-toggle");
    this.openId = null;
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    this.toggle.addEventListener("click", () => this.show(this.root.hidden));
    document.querySelector("#scrim").addEventListener("click", () => this.show(false));
    this.search.addEventListener("input", () => this.#searchSoon());
    this.#loadMoreAtEnd();
    this.#acceptFiles();
    library.addEventListener("change", () => this.#render());
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

  #searchSoon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.library.search(this.search.value), SEARCH_AFTER_MS);
  }

  #loadMoreAtEnd() {
    const end = document.querySelector("#conversations-end");
    new IntersectionObserver(([seen]) => { if (seen.isIntersecting) this.library.more(); }).observe(end);
  }

  #acceptFiles() {
    const input = document.querySelector("#import-file");
    document.querySelector("#import").addEventListener("click", () => input.click());
    input.addEventListener("change", async () => {
      const [file] = input.files;
      input.value = "";
      if (!file) return;
      try {
        this.acts.onOpen((await this.library.importFile(file)).id);
      } catch (error) {
        toast(error.code ? error.message : "This file is not an exported conversation.");
      }
    });
  }

  /** Rows keep their nodes, because rebuilding a list of thousands for each change is slow. */
  #render() {
    const wanted = [];
    let group = "";
    for (const one of this.library.all) {
      const named = groupOf(one);
      if (named !== group) wanted.push(element("h3", { className: "group" }, named));
      group = named;
      wanted.push(this.#rowOf(one).root);
    }
    if (!wanted.length) wanted.push(element("p", { className: "note" }, this.library.query ? "No results." : "Your conversations appear here."));
    this.list.replaceChildren(...wanted);
    const known = new Set(this.library.all.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!known.has(id)) this.rows.delete(id);
  }

  #rowOf(one) {
    if (!this.rows.has(one.id)) this.rows.set(one.id, new Row(one, this.#acts(one.id)));
    const row = this.rows.get(one.id);
    row.show(one);
    row.mark(one.id === this.openId);
    return row;
  }

  #acts(id) {
    return {
      onOpen: () => this.acts.onOpen(id),
      onChange: (facts) => this.#attempt(() => this.library.change(id, facts)),
      onShare: (isShared) => this.#attempt(() => this.#share(id, isShared)),
      onDelete: () => this.#attempt(() => this.#delete(id)),
    };
  }

  async #share(id, isShared) {
    const { share } = await this.library.share(id, isShared);
    if (!share) return toast("The conversation is no longer shared.");
    await copy(new URL(`/s/${share}`, location.href).href);
    return toast("The link was copied. Users who may chat on this site can read the conversation, also later messages, but not change it.");
  }

  async #delete(id) {
    await this.library.remove(id);
    this.acts.onGone(id);
    toast("The conversation was deleted.", { name: "Undo", act: () => this.#attempt(() => this.library.restore(id)) });
  }

  async #attempt(act) {
    try {
      await act();
    } catch (error) {
      toast(error.message);
    }
  }
}

class Row {
  constructor({ id }, acts) {
    this.acts = acts;
    this.name = element("span", { className: "row-name" });
    this.link = element("a", { className: "row-link", href: `/c/${id}` }, this.name);
    this.more = element("button", { type: "button", className: "mini", "aria-haspopup": "menu", "aria-expanded": "false" }, icon("more"));
    this.menu = element("div", { className: "panel menu", role: "menu", hidden: true });
    this.root = element("div", { className: "row popup" }, this.link, this.more, this.menu);
    this.link.addEventListener("click", (event) => this.#open(event));
    new Popup(this.more, this.menu, () => this.#fill(id));
  }

  show(one) {
    this.one = one;
    this.name.textContent = one.title;
    this.link.title = one.title;
    this.more.setAttribute("aria-label", `More about ${one.title}`);
  }

  mark(isOpen) {
    if (isOpen) this.link.setAttribute("aria-current", "page");
    else this.link.removeAttribute("aria-current");
  }

  #open(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    this.acts.onOpen();
  }

  #fill(id) {
    const item = (text, act) => element("button", { type: "button", role: "menuitem", onclick: () => this.#act(act) }, text);
    const file = (text, form) => element("a", { role: "menuitem", href: `/chat/conversations/${id}.${form}`, download: "" }, text);
    this.menu.replaceChildren(
      item("Rename", () => this.#rename()),
      item(this.one.is_pinned ? "Unpin" : "Pin", () => this.acts.onChange({ is_pinned: !this.one.is_pinned })),
      item(this.one.folder ? `Folder: ${this.one.folder}` : "Move to a folder", () => this.#file()),
      item(this.one.share ? "Copy link" : "Share with users of this site", () => this.acts.onShare(true)),
      ...(this.one.share ? [item("Stop sharing", () => this.acts.onShare(false))] : []),
      file("Export as JSON", "json"), file("Export as Markdown", "md"),
      item("Delete", () => this.acts.onDelete()),
    );
    this.menu.firstElementChild.focus();
  }

  #act(act) {
    this.menu.hidden = true;
    this.more.setAttribute("aria-expanded", "false");
    act();
  }

  #rename() {
    this.#edit(this.one.title, "Title", (title) => title && this.acts.onChange({ title }));
  }

  #file() {
    this.#edit(this.one.folder, "Folder (empty for none)", (folder) => this.acts.onChange({ folder }));
  }

  /** The name becomes a field; Enter saves it, Escape does not. */
  #edit(value, label, keep) {
    const field = element("input", { className: "row-field", value, maxLength: 100, "aria-label": label });
    const end = (isKept) => {
      if (!field.isConnected) return;
      field.replaceWith(this.link);
      if (isKept && field.value.trim() !== value) keep(field.value.trim());
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") { event.stopPropagation(); end(false); }
    });
    field.addEventListener("blur", () => end(true));
    this.link.replaceWith(field);
    field.select();
  }
}

/** @param {import("./library.js").Listed} one @returns {string} the heading of its group */
function groupOf({ is_pinned: isPinned, folder, changed_at: changedAt }) {
  if (isPinned) return "Pinned";
  if (folder) return folder;
  const midnight = new Date().setHours(0, 0, 0, 0);
  const age = midnight - Date.parse(changedAt);
  if (age <= 0) return "Today";
  if (age <= DAY_MS) return "Yesterday";
  if (age <= 7 * DAY_MS) return "Previous 7 days";
  return new Date(changedAt).toLocaleDateString("en", { month: "long", year: "numeric" });
}
