/** The conversation of this page, kept in this browser across a reload. */
import { store } from "./store.js";

/**
 * @typedef {{phase: "queued" | "loading" | "prefill", done: number, total: number}} Waiting
 * @typedef {{tokens: number, promptTokens: number, cachedTokens: number, perSecond: number | null,
 *   firstTokenS: number | null, reason: "stop" | "length"}} Figures
 * @typedef {{id: string, role: "user" | "assistant", content: string, reasoning?: string, model?: string,
 *   status: "waiting" | "streaming" | "done" | "stopped" | "failed", waiting?: Waiting, figures?: Figures,
 *   calls?: import("./calls.js").Call[], error?: string}} Message
 */

const NO_RESULT = "No result was given.";

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
      return !answer || isSaid(answer) || (message.role === "user" && answer === this.last);
    });
    return kept.filter(isSaid).flatMap(spoken);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function isSaid(message) {
  return Boolean(message.content || message.calls?.length);
}

/** A message as the model reads it; the results of its calls are messages of their own. */
function spoken({ role, content, calls }) {
  if (!calls?.length) return [{ role, content }];
  const made = calls.map(({ id, name, arguments: text }) => ({ id, type: "function", function: { name, arguments: text } }));
  const results = calls.map(({ id, result }) => ({ role: "tool", tool_call_id: id, content: result ?? NO_RESULT }));
  return [{ role, content: content || null, tool_calls: made }, ...results];
}

/** @param {Message} message an answer that was under way when the page went away is a stopped one now */
function settled(message) {
  const isUnderWay = message.status === "waiting" || message.status === "streaming";
  return isUnderWay ? { ...message, status: "stopped", waiting: undefined } : message;
}
