/** The messages on the page: those near the screen in full, the others as plain text. */
import { columnsOf } from "./columns.js";
import { loadMessageParts, messageView } from "./message-parts.js";
import { ScrollPosition } from "./scroll-position.js";
import { Slot } from "./slot.js";

const MAX_COLUMNS = 4;
const DRAWN_AT_ONCE = 12; // the newest messages, which are on the screen first
const NEAR = "1200px 0px"; // drawn before they are seen

export class Thread {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./message.js").Acts} acts what a message's buttons do
   */
  constructor(conversation, acts) {
    this.conversation = conversation;
    this.acts = acts;
    this.root = document.querySelector("#thread");
    this.scroll = new ScrollPosition(this.root);
    /** @type {Map<number, Slot>} by the message's id */
    this.slots = new Map();
    /** @type {Set<Slot>} to be drawn once that is possible */
    this.waiting = new Set();
    /** @type {WeakMap<Element, Slot>} */
    this.slotOf = new WeakMap();
    this.near = new IntersectionObserver((seen) => this.#update(seen), { root: document.querySelector("#scroll"), rootMargin: NEAR });
    conversation.addEventListener("branch", ({ detail }) => {
      this.#render();
      if (!detail?.isQuiet && !detail?.staysHere) this.follow(); // else a reader further up stays there
    });
    conversation.addEventListener("change", ({ detail }) => this.#show(detail.id));
    addEventListener("beforeprint", () => this.#drawAll());
    matchMedia("print").addEventListener("change", ({ matches }) => { if (matches) this.#drawAll(); });
    this.#loadSoon();
    this.#render();
  }

  /** Messages are drawn once somebody uses the page, and at once where it shows a chat. */
  #loadSoon() {
    for (const type of ["input", "keydown", "pointerdown"]) addEventListener(type, () => this.#load(), { once: true, capture: true });
    if (location.pathname !== "/") this.#load();
  }

  #load() {
    loadMessageParts().then(() => this.#drawWaiting(), () => {}); // without them, messages stay plain text
  }

  /** Go to the end and stay there while it grows. */
  follow() {
    this.scroll.follow();
  }

  /** @param {number} id the message to edit */
  edit(id) {
    const slot = this.slots.get(id);
    if (!slot) return;
    this.#draw(slot);
    slot.edit();
  }

  /** Draw a message and stop following, for a look at it. @param {number} id @returns {HTMLElement | undefined} it */
  reveal(id) {
    const slot = this.slots.get(id);
    if (!slot) return undefined;
    this.#draw(slot);
    slot.setFar(false);
    this.scroll.release();
    return slot.root;
  }

  /** Messages that stay keep their nodes: only what is new is rendered. */
  #render() {
    this.#quietly(() => {
      const turns = this.conversation.messages.map((message) => this.#turn(message));
      const shown = new Set(turns.flat());
      for (const [id, slot] of this.slots) if (!shown.has(slot.message)) this.#remove(id, slot);
      const blocks = turns.map((messages) => this.#block(messages.map((message) => this.#slot(message))));
      const kept = new Set(blocks);
      for (const old of [...this.root.children]) if (!kept.has(old)) old.remove();
      let place = this.root.firstElementChild;
      for (const block of blocks) {
        if (block === place) place = place.nextElementSibling;
        else this.root.insertBefore(block, place);
      }
      for (const message of turns.slice(-DRAWN_AT_ONCE).flat()) this.#draw(this.slots.get(message.id));
      for (const slot of this.slots.values()) if (slot.isDrawn) slot.showAlternatives();
    });
    this.scroll.update();
  }

  /** One message, or its alternatives where they are compared. */
  #turn(message) {
    const isBeside = message.role === "assistant" && this.conversation.compared.has(message.parent);
    const alternatives = isBeside ? this.conversation.answersBeside(message) : [];
    return alternatives.length > 1 ? alternatives.slice(-MAX_COLUMNS) : [message];
  }

  #slot(message) {
    if (!this.slots.has(message.id)) {
      const slot = new Slot(message, () => messageView(message, this.conversation, this.acts));
      this.slots.set(message.id, slot);
      this.#watch(slot);
    }
    return this.slots.get(message.id);
  }

  #block(views) {
    if (views.length === 1) return views[0].root;
    return columnsOf(views);
  }

  #remove(id, slot) {
    this.near.unobserve(slot.root);
    slot.root.remove();
    this.slots.delete(id);
  }

  #show(id) {
    const slot = this.slots.get(id);
    if (!slot) return;
    if (slot.message.status === "answering") this.#draw(slot);
    slot.show();
  }

  #draw(slot) {
    if (!messageView) {
      this.waiting.add(slot);
      this.#load();
      return;
    }
    const { root } = slot;
    if (!slot.draw()) return;
    this.near.unobserve(root);
    this.#watch(slot);
  }

  #drawWaiting() {
    this.#quietly(() => { for (const slot of this.waiting) if (this.slots.get(slot.message.id) === slot) this.#draw(slot); });
    this.waiting.clear();
    this.scroll.settle();
  }

  #watch(slot) {
    this.slotOf.set(slot.root, slot);
    this.near.observe(slot.root);
  }

  #update(seen) {
    this.#quietly(() => {
      for (const { target, isIntersecting } of seen) {
        const slot = this.slotOf.get(target);
        if (isIntersecting) this.#draw(slot);
        slot.setFar(!isIntersecting);
      }
      this.scroll.settle();
    });
  }

  /** For printing, which needs what is far, too. */
  #drawAll() {
    this.#quietly(() => { for (const slot of this.slots.values()) this.#draw(slot); });
  }

  /** The thread is a live region: old messages that are drawn while the reader scrolls are no news. */
  #quietly(draw) {
    this.root.setAttribute("aria-live", "off");
    draw();
    requestAnimationFrame(() => this.root.removeAttribute("aria-live"));
  }
}
