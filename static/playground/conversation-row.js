/** One conversation in the list: its link, whether it answers, what was found in it, and its menu. */
import { dragsConversation } from "./drag.js";
import { answeringDot, element, icon } from "./element.js";
import { menuItem, opensMenu } from "./menu.js";
import { ownerText } from "./origin.js";

const PLACES = { question: "Question", answer: "Answer", reasoning: "Reasoning" };

/**
 * @typedef {{onOpen: (message?: number) => void, onChange: (facts: object) => Promise<boolean>, onMove: () => void,
 *   onShare: (isShared: boolean) => void, onDelete: () => void}} RowActs
 */

export class ConversationRow {
  /** @param {import("./library.js").Listed} listed @param {RowActs} acts */
  constructor({ id }, acts) {
    this.id = id;
    this.acts = acts;
    this.name = element("span", { className: "row-name" });
    this.folder = element("span", { className: "row-folder" });
    this.from = element("span", { className: "row-folder" });
    this.answering = answeringDot();
    this.link = element("a", { className: "row-link" }, this.name);
    this.more = element("button", { type: "button", className: "mini" }, icon("more"));
    this.head = element("div", { className: "row popup" }, this.link, this.more);
    this.hits = element("div", { className: "hits" });
    this.root = element("div", { className: "row-block" }, this.head, this.hits);
    this.link.addEventListener("click", (event) => this.#open(event, this.one.hits?.[0]?.message));
    dragsConversation(this.link, () => id);
    opensMenu(this.more, () => this.#items());
  }

  /** @param {import("./library.js").Listed} one @param {{isOpen: boolean, isAnswering: boolean}} state */
  show(one, { isOpen, isAnswering }) {
    this.one = one;
    this.mark(isOpen);
    const facts = JSON.stringify([one, isAnswering]);
    if (facts === this.shown) return; // its nodes keep the focus
    this.shown = facts;
    this.name.replaceChildren(...(one.title_snippet?.length ? marked(one.title_snippet) : [one.title]));
    this.link.title = one.title;
    this.link.href = this.#address(one.hits?.[0]);
    this.folder.textContent = one.folder;
    this.#showPart(this.folder, one.folder && (one.is_pinned || one.hits));
    const isCopy = typeof one.copied_from === "string";
    this.from.textContent = isCopy ? `from ${ownerText(one.copied_from)}` : "";
    this.#showPart(this.from, isCopy);
    this.#showPart(this.answering, isAnswering);
    this.more.setAttribute("aria-label", `More about ${one.title}`);
    this.hits.replaceChildren(...(one.hits ?? []).map((hit) => this.#hit(hit)));
  }

  #showPart(part, isShown) {
    if (!isShown) part.remove();
    else if (part.parentElement !== this.link) this.link.append(part);
  }

  mark(isOpen) {
    if (isOpen) this.link.setAttribute("aria-current", "page");
    else this.link.removeAttribute("aria-current");
  }

  #hit(hit) {
    const link = element("a", { className: "hit", href: this.#address(hit) }, element("span", { className: "hit-place" }, PLACES[hit.place]), " ", ...marked(hit.snippet));
    link.addEventListener("click", (event) => this.#open(event, hit.message));
    return link;
  }

  #address(hit) {
    return `/c/${this.id}${hit ? `#m${hit.message}` : ""}`;
  }

  #open(event, message) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a tab of its own
    event.preventDefault();
    this.acts.onOpen(message);
  }

  #items() {
    const { is_pinned: isPinned, share } = this.one;
    const file = (text, form) => element("a", { role: "menuitem", href: `/chat/conversations/${this.id}.${form}`, download: "" }, text);
    return [
      menuItem("Rename", () => this.#rename()),
      menuItem(isPinned ? "Unpin" : "Pin", () => this.acts.onChange({ is_pinned: !isPinned })),
      menuItem("Move to folder", () => this.acts.onMove()),
      menuItem(share ? "Copy link" : "Share with users of this site", () => this.acts.onShare(true)),
      ...(share ? [menuItem("Stop sharing", () => this.acts.onShare(false))] : []),
      file("Export as JSON", "json"), file("Export as Markdown", "md"),
      menuItem("Delete", () => this.acts.onDelete()),
    ];
  }

  /** The title becomes a field; Enter saves it, Escape does not. It stays until the server has it. */
  #rename() {
    const field = element("input", { className: "row-field", value: this.one.title, maxLength: 200, "aria-label": "Title" });
    let [isSaving, isOver] = [false, false]; // Chrome takes the focus from a field that goes away, which would save it
    const end = () => {
      const hadFocus = document.activeElement === field;
      isOver = true;
      if (field.isConnected) field.replaceWith(this.link);
      if (hadFocus) this.link.focus();
    };
    const save = async () => {
      const title = field.value.trim();
      if (isSaving || isOver) return;
      isSaving = true;
      const isSaved = !title || title === this.one.title || await this.acts.onChange({ title });
      isSaving = false;
      if (isSaved) end();
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation(); // Escape also stops an answer
      if (event.key === "Enter") save();
      if (event.key === "Escape") end();
    });
    field.addEventListener("blur", save);
    this.link.replaceWith(field);
    field.select();
  }
}

/** @param {import("./library.js").Snippet} snippet @returns {(Node | string)[]} */
function marked(snippet) {
  return snippet.map(([text, isHit]) => (isHit ? element("mark", {}, text) : text));
}
