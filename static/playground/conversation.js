/** The conversation of this page, kept in this browser across a reload. */
import { store } from "./store.js";

/**
 * @typedef {{phase: "queued" | "loading" | "prefill", done: number, total: number}} Waiting
 * @typedef {{tokens: number, promptTokens: number, cachedTokens: number, perSecond: number | null,
 *   firstTokenS: number | null, reason: "stop" | "length"}} Figures
 * @typedef {{id: string, role: "user" | "assistant", content: string, reasoning?: string, model?: string,
 *   status: "waiting" | "streaming" | "done" | "stopped" | "failed", waiting?: Waiting, figures?: Figures,
 *   error?: string}} Message
 */

const SAVE_EVERY_MS = 1000;

/** Fires "add", "change" (detail: the message) and "remove" (detail: its id). */
export class Conversation extends EventTarget {
  constructor() {
    super();
    /** @type {Message[]} */
    this.messages = (store.read("conversation") ?? []).map(settled);
    this.savedAt = 0;
    this.isLeaving = false;
    addEventListener("pagehide", () => { this.save(); this.isLeaving = true; });
    addEventListener("pageshow", () => { this.isLeaving = false; });
  }

  get last() {
    return this.messages.at(-1);
  }

  /** @param {Omit<Message, "id">} facts @returns {Message} */
  add(facts) {
    // Not randomUUID: browsers offer it on https and loopback only.
    const message = { id: `${Date.now().toString(36)}-${this.messages.length}`, ...facts };
    this.messages.push(message);
    this.#tell("add", message);
    this.save();
    return message;
  }

  /** @param {Message} message @param {Partial<Message>} facts */
  change(message, facts) {
    Object.assign(message, facts);
    this.#tell("change", message);
    if (message.status !== "streaming" || Date.now() - this.savedAt > SAVE_EVERY_MS) this.save();
  }

  removeLast() {
    const message = this.messages.pop();
    this.#tell("remove", message.id);
    this.save();
  }

  clear() {
    while (this.messages.length) this.removeLast();
  }

  /** Leaving the page breaks its streams; what they fail with then is not worth keeping. */
  save() {
    if (this.isLeaving) return;
    this.savedAt = Date.now();
    store.write("conversation", this.messages);
  }

  /** What the model is to read: a question without an answer is left out, for many templates want turns to alternate. */
  get turns() {
    const kept = this.messages.filter((message, index) => {
      const answer = message.role === "user" ? this.messages[index + 1] : message;
      return !answer || answer.content || (message.role === "user" && answer === this.last);
    });
    return kept.filter((message) => message.content).map(({ role, content }) => ({ role, content }));
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {Message} message an answer that was under way when the page went away is a stopped one now */
function settled(message) {
  const isUnderWay = message.status === "waiting" || message.status === "streaming";
  return isUnderWay ? { ...message, status: "stopped", waiting: undefined } : message;
}
