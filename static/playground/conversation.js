/** The conversation that is open: a tree of messages, of which one branch is shown. */

/**
 * @typedef {{phase: "queued" | "loading" | "prefill" | "paused", done: number, total: number}} Waiting
 * @typedef {{tokens: number, reasoning_tokens: number, prompt_tokens: number, cached_tokens: number, total_s: number,
 *   drafted_tokens?: number, accepted_tokens?: number,
 *   per_second: number | null, first_token_s: number | null, reason: "stop" | "length" | "tool_calls"}} Figures
 * @typedef {{id: number, parent: number | null, role: "user" | "assistant", content: string, reasoning: string,
 *   model: string, status: "answering" | "done" | "stopped" | "failed", waiting?: Waiting, thinking?: boolean, figures: Figures | null,
 *   attachments?: {id: string, name: string, size: number, characters: number}[],
 *   calls: import("./calls.js").Call[], error: string, made: object | null, tokens: object[]}} Message
 */

/** Fires "branch" when other messages are shown, and "change" (detail: the message). */
export class Conversation extends EventTarget {
  constructor() {
    super();
    this.#set({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  /** @param {{id: string, title: string, settings: object, tip: number, messages: Message[]}} whole */
  open(whole) {
    this.#set(whole);
    this.#emit("branch");
  }

  clear() {
    this.open({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  #set({ id, title, settings, tip, messages }) {
    this.id = id;
    this.title = title;
    this.settings = settings;
    /** @type {Map<number, Message>} */
    this.known = new Map(messages.map((message) => [message.id, message]));
    this.tip = tip;
    /** @type {Set<number | null>} the parents whose answers are shown side by side */
    this.compared = new Set();
  }

  /** @returns {Message[]} the branch that is shown, from the first message on */
  get messages() {
    const path = [];
    for (let message = this.known.get(this.tip); message; message = this.known.get(message.parent)) path.push(message);
    return path.reverse();
  }

  get last() {
    return this.known.get(this.tip);
  }

  get isAnswering() {
    return this.running.length > 0;
  }

  /** @returns {Message[]} the answers to the last question that are being generated */
  get running() {
    const { last } = this;
    const alternatives = last && this.compared.has(last.parent) ? this.alternatives(last) : [last];
    return alternatives.filter((message) => message?.status === "answering");
  }

  /** Show the answers to this parent side by side, or one at a time. */
  compare(parent, isCompared) {
    if (isCompared) this.compared.add(parent);
    else this.compared.delete(parent);
    this.#emit("branch");
  }

  /** Add a message, or update the known one. @param {Message} message */
  put(message) {
    const known = this.known.get(message.id);
    if (known) Object.assign(known, message);
    else this.known.set(message.id, message);
    this.#emit("change", known ?? message);
  }

  /** @param {Message} message @param {Partial<Message>} facts */
  change(message, facts) {
    Object.assign(message, facts);
    this.#emit("change", message);
  }

  /** Show the branch that ends with this message. */
  show(tip) {
    this.tip = tip;
    this.#emit("branch");
  }

  /** @returns {Message[]} the message and its alternatives, oldest first */
  alternatives({ parent, role }) {
    return [...this.known.values()].filter((other) => other.parent === parent && other.role === role);
  }

  /** @returns {number} the tip of the newest branch below this message */
  newestTip(message) {
    const next = [...this.known.values()].filter(({ parent }) => parent === message.id).at(-1);
    return next ? this.newestTip(next) : message.id;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
