/** The messages on the page, and where the page is scrolled to. */
import { messageView } from "./message.js";

const NEAR_PX = 60;

export class Thread {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {Parameters<typeof messageView>[1]} acts what a message's buttons do
   */
  constructor(conversation, acts) {
    this.acts = acts;
    this.root = document.querySelector("#thread");
    this.scroller = document.querySelector("#scroll");
    this.jump = document.querySelector("#jump");
    this.views = new Map();
    this.isFollowing = true;
    for (const message of conversation.messages) this.#add(message);
    conversation.addEventListener("add", ({ detail }) => { this.#add(detail); this.follow(); });
    conversation.addEventListener("change", ({ detail }) => this.views.get(detail.id)?.show());
    conversation.addEventListener("remove", ({ detail }) => this.#remove(detail));
    this.root.addEventListener("rendered", () => this.#keepUp());
    this.scroller.addEventListener("scroll", () => this.#look(), { passive: true });
    this.jump.addEventListener("click", () => this.follow());
    this.follow();
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.isFollowing = true;
    this.#keepUp();
  }

  #add(message) {
    const view = messageView(message, this.acts);
    this.views.set(message.id, view);
    this.root.append(view.root);
  }

  #remove(id) {
    this.views.get(id)?.root.remove();
    this.views.delete(id);
    this.#look();
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
