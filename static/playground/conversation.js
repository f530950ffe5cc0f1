/** The conversation that is open: a tree of messages, of which one branch is shown. */

/**
 * @typedef {{phase: "queued" | "loading" | "prefill", done: number, total: number}} Waiting
 * @typedef {{tokens: number, reasoning_tokens: number, prompt_tokens: number, cached_tokens: number, total_s: number,
 *   per_second: number | null, first_token_s: number | null, reason: "stop" | "length" | "tool_calls"}} Figures
 * @typedef {{id: number, parent: number | null, role: "user" | "assistant", content: string, reasoning: string,
 *   model: string, status: "answering" | "done" | "stopped" | "failed", waiting?: Waiting, figures: Figures | null,
 *   calls: import("./calls.js").Call[], error: string, made: object | null, tokens: object[]}} Message
 */

/** Fires "branch" when other messages are shown, and "change" (detail: the message). */
export class Conversation extends EventTarget {
  constructor() {
    super();
    this.#become({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  /** @param {{id: string, title: string, settings: object, tip: number, messages: Message[]}} whole */
  open(whole) {
    this.#become(whole);
    this.#tell("branch");
  }

  clear() {
    this.open({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  #become({ id, title, settings, tip, messages }) {
    this.id = id;
    this.title = title;
    this.settings = settings;
    /** @type {Map<number, Message>} */
    this.known = new Map(messages.map((message) => [message.id, message]));
    this.tip = tip;
    /** @type {Set<number | null>} the turns whose takes are shown side by side, by what they answer */
    this.beside = new Set();
  }

  /** @returns {Message[]} the branch that is shown, from the first message on */
  get messages() {
    const path = [];
    for (let at = this.known.get(this.tip); at; at = this.known.get(at.parent)) path.push(at);
    return path.reverse();
  }

  get last() {
    return this.known.get(this.tip);
  }

  get isAnswering() {
    return this.underWay.length > 0;
  }

  /** @returns {Message[]} the takes of the last turn that are being said */
  get underWay() {
    const { last } = this;
    const takes = last && this.beside.has(last.parent) ? this.takes(last) : [last];
    return takes.filter((message) => message?.status === "answering");
  }

  /** Show the takes of this turn side by side, or one at a time. */
  compare(parent, isCompared) {
    if (isCompared) this.beside.add(parent);
    else this.beside.delete(parent);
    this.#tell("branch");
  }

  /** @param {Message} message new, or known as it was before */
  put(message) {
    const known = this.known.get(message.id);
    if (known) Object.assign(known, message);
    else this.known.set(message.id, message);
    this.#tell("change", known ?? message);
  }

  /** @param {Message} message @param {Partial<Message>} facts */
  change(message, facts) {
    Object.assign(message, facts);
    this.#tell("change", message);
  }

  /** Show the branch that ends with this message. */
  show(tip) {
    this.tip = tip;
    this.#tell("branch");
  }

  /** @returns {Message[]} the takes of this turn, in the order in which they were made */
  takes({ parent, role }) {
    return [...this.known.values()].filter((other) => other.parent === parent && other.role === role);
  }

  /** @returns {number} the newest end of the branches that go on from this message */
  newestEnd(message) {
    const next = [...this.known.values()].filter(({ parent }) => parent === message.id).at(-1);
    return next ? this.newestEnd(next) : message.id;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
