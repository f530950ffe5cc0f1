/** The messages on the page, and where the page is scrolled to. */
import { messageView } from "./message.js";

const NEAR_PX = 60;

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
    const messages = this.conversation.messages;
    const shown = new Set(messages.map(({ id }) => id));
    for (const [id, view] of this.views) {
      if (shown.has(id) && this.conversation.known.get(id) === view.message) continue;
      view.root.remove();
      this.views.delete(id);
    }
    for (const [place, message] of messages.entries()) this.#place(place, message);
    this.#look();
  }

  #place(place, message) {
    const known = this.views.get(message.id);
    const view = known ?? messageView(message, this.conversation, this.acts);
    this.views.set(message.id, view);
    if (this.root.children[place] !== view.root) this.root.insertBefore(view.root, this.root.children[place] ?? null);
    if (known) view.showTakes();
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
