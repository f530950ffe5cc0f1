/** The messages on the page, and where the page is scrolled to. */
import { columnsOf } from "./columns.js";
import { messageView } from "./message.js";

const NEAR_PX = 60;
const MAX_COLUMNS = 4;

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
    conversation.addEventListener("branch", ({ detail }) => {
      this.#render();
      if (detail?.staysHere) return;
      if (detail?.isQuiet) this.#scrollToEnd(); // a reader further up stays there
      else this.follow();
    });
    conversation.addEventListener("change", ({ detail }) => this.views.get(detail.id)?.show());
    this.root.addEventListener("rendered", () => this.#scrollToEnd());
    this.scroller.addEventListener("scroll", () => this.#updateScroll(), { passive: true });
    this.jump.addEventListener("click", () => this.follow());
    this.#render();
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.isFollowing = true;
    this.#scrollToEnd();
  }

  /** Stop following, for a look at this message. @param {number} id @returns {HTMLElement | undefined} */
  reveal(id) {
    this.isFollowing = false;
    return this.views.get(id)?.root;
  }

  /** @param {number} id the message to edit */
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
    this.#updateScroll();
  }

  /** One message, or its alternatives where they are compared. */
  #turn(message) {
    const isBeside = message.role === "assistant" && this.conversation.compared.has(message.parent);
    const alternatives = isBeside ? this.conversation.alternatives(message) : [];
    return alternatives.length > 1 ? alternatives.slice(-MAX_COLUMNS) : [message];
  }

  #view(message) {
    const known = this.views.get(message.id);
    known?.showAlternatives();
    if (!known) this.views.set(message.id, messageView(message, this.conversation, this.acts));
    return this.views.get(message.id);
  }

  #block(views) {
    if (views.length === 1) return views[0].root;
    return columnsOf(views);
  }

  #scrollToEnd() {
    if (this.isFollowing) this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#updateScroll();
  }

  /** A reader who scrolls up stays where they are; one who comes back to the end follows again. */
  #updateScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    if (isNear || scrollTop < (this.wasAt ?? 0)) this.isFollowing = isNear;
    this.wasAt = scrollTop;
    this.jump.hidden = isNear;
    document.querySelector(".app").classList.toggle("is-scrolled", scrollTop > 4);
  }
}
