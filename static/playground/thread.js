/** The messages on the page, and where the page is scrolled to. */
import { element } from "./element.js";
import { messageView } from "./message.js";

const NEAR_PX = 60;
const MOST_COLUMNS = 4;

export class Thread {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {Parameters<typeof messageView>[2]} acts what a message's buttons do
   */
  constructor(conversation, acts) {
    this.conversation = conversation;
    this.acts = acts;
    this.root = document.querySelector("#thread");
    this.scroller = document.querySelector("#scroll");
    this.jump = document.querySelector("#jump");
    this.views = new Map();
    this.isFollowing = true;
    conversation.addEventListener("branch", () => { this.#render(); this.follow(); });
    conversation.addEventListener("change", ({ detail }) => this.views.get(detail.id)?.show());
    this.root.addEventListener("rendered", () => this.#keepUp());
    this.scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    this.jump.addEventListener("click", () => this.follow());
    this.#render();
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.isFollowing = true;
    this.#keepUp();
  }

  /** @param {number} id the message whose words are to be changed */
  edit(id) {
    this.views.get(id)?.edit?.();
  }

  /** Messages that stay keep their nodes: only what is new is rendered. */
  #render() {
    const turns = this.conversation.messages.map((message) => this.#turn(message));
    const shown = new Set(turns.flat());
    for (const [id, view] of this.views) {
      if (shown.has(view.message)) continue;
      view.root.remove();
      this.views.delete(id);
    }
    const blocks = turns.map((messages) => this.#block(messages.map((message) => this.#view(message))));
    for (const old of [...this.root.children]) if (!blocks.includes(old)) old.remove();
    for (const [place, block] of blocks.entries()) {
      if (this.root.children[place] !== block) this.root.insertBefore(block, this.root.children[place] ?? null);
    }
    this.#look();
  }

  /** One message, or all takes of it where they are compared. */
  #turn(message) {
    const isBeside = message.role === "assistant" && this.conversation.beside.has(message.parent);
    const takes = isBeside ? this.conversation.takes(message) : [];
    return takes.length > 1 ? takes.slice(-MOST_COLUMNS) : [message];
  }

  #view(message) {
    const known = this.views.get(message.id);
    known?.showTakes();
    if (!known) this.views.set(message.id, messageView(message, this.conversation, this.acts));
    return this.views.get(message.id);
  }

  #block(views) {
    if (views.length === 1) return views[0].root;
    const first = views[0].root.parentElement;
    const columns = first?.classList.contains("columns") ? first : element("div", { className: "columns message" });
    columns.replaceChildren(...views.map(({ root }) => root));
    return columns;
  }

  #keepUp() {
    if (this.isFollowing) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#look();
  }

  /** A reader who scrolls up stays where they are; one who comes back to the end follows again. */
  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (isNear || scrollTop < (this.wasAt ?? 0)) this.isFollowing = isNear;
    this.wasAt = scrollTop;
    this.jump.hidden = isNear;
    document.querySelector(".app").classList.toggle("is-scrolled", scrollTop > 4);
  }
}
