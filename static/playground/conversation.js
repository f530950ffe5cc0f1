/** The conversation that is open: a tree of messages, of which one branch is shown. */

/**
 * @typedef {{phase: "queued" | "loading" | "prefill" | "paused", done: number, total: number, load_phase?: string,
 *   own?: number}} Waiting
 * @typedef {{tokens: number, reasoning_tokens: number, prompt_tokens: number, cached_tokens: number, total_s: number,
 *   drafted_tokens?: number, accepted_tokens?: number,
 *   per_second: number | null, first_token_s: number | null, reason: "stop" | "length" | "tool_calls"}} Figures
 * @typedef {{id: number, parent: number | null, role: "user" | "assistant", content: string, reasoning: string,
 *   model: string, status: "answering" | "done" | "stopped" | "failed", waiting?: Waiting, thinking?: boolean, figures: Figures | null,
 *   at: string, edited_at?: string | null, attachments?: import("./attachment.js").Added[],
 *   calls: import("./calls.js").Call[], error: string, made: object | null, tokens: object[]}} Message
 */

/** Fires "branch" when other messages are shown, and "change" (detail: the message). */
export class Conversation extends EventTarget {
  constructor() {
    super();
    this.#set({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  /**
   * @param {{id: string, title: string, settings: object, tip: number, messages: Message[],
   *   branched_from?: {id: string, title: string} | null, copied_from?: string | null, owner?: string}} whole
   */
  open(whole) {
    this.#set(whole);
    this.#emit("branch");
  }

  clear() {
    this.open({ id: null, title: "", settings: null, tip: null, messages: [] });
  }

  #set({ id, title, settings, tip, messages, branched_from: origin = null, copied_from: copiedFrom = null, owner = null }) {
    this.id = id;
    this.origin = origin; // the conversation that this one was branched from
    this.copiedFrom = copiedFrom; // whose shared chat this is a copy of
    this.owner = owner; // of a shared chat
    this.title = title;
    this.settings = settings;
    /** @type {Map<number, Message>} */
    this.known = new Map(messages.map((message) => [message.id, message]));
    this.index = null;
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

  /** @returns {Message[]} the answers that are shown and being generated; one above others may be continued */
  get running() {
    const { last } = this;
    const beside = last && this.compared.has(last.parent) ? this.answersBeside(last) : [];
    const running = [...this.messages, ...beside].filter((message) => message.status === "answering");
    return [...new Set(running)];
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
    if (known && "parent" in message && known.parent !== message.parent) this.index = null;
    if (known) Object.assign(known, message);
    else this.#add(message);
    this.#emit("change", known ?? message);
  }

  /**
   * Take over what another window has changed, without leaving the branch that is shown: it is shown to its newest end.
   * @param {{id: string, title: string, tip: number, messages: Message[]}} whole as the server has it
   * @param {(id: number) => boolean} isFollowed whether this page follows an answer: it knows more of it than `whole`
   * @returns {boolean} whether the conversation went on in a branch that is not shown
   */
  merge(whole, isFollowed) {
    const ids = new Set(whole.messages.map(({ id }) => id));
    const newest = Math.max(0, ...this.known.keys());
    for (const id of this.known.keys()) if (!ids.has(id)) this.known.delete(id);
    this.index = null;
    for (const message of whole.messages) if (!isFollowed(message.id)) this.#update(message);
    this.title = whole.title;
    this.tip = this.known.has(this.tip) ? this.newestTip(this.last) : whole.tip;
    this.#emit("branch", { isQuiet: true });
    const shown = new Set(this.messages.map(({ id }) => id));
    return whole.messages.some(({ id, role }) => id > newest && role === "user" && !shown.has(id));
  }

  /** A message that has not changed is not drawn again. */
  #update(message) {
    const known = this.known.get(message.id);
    if (!known) this.#add(message);
    else if (["parent", "status", "content", "reasoning", "calls", "tokens", "edited_at"].some((name) => JSON.stringify(known[name]) !== JSON.stringify(message[name]))) this.put(message);
  }

  /** @returns {boolean} whether nothing follows this message, as far as the page knows */
  isEnd(id) {
    return ![...this.known.values()].some(({ parent }) => parent === id);
  }

  /** @param {Message} message @param {Partial<Message>} facts */
  change(message, facts) {
    Object.assign(message, facts);
    this.#emit("change", message);
  }

  /** Show the branch that ends with this message. @param {{staysHere?: boolean}} [how] whether the page keeps its place */
  show(tip, how) {
    this.tip = tip;
    this.#emit("branch", how);
  }

  /** Forget messages that were deleted, and show the branch that ends with `tip`, if there is one. */
  remove(ids, tip) {
    for (const id of ids) this.known.delete(id);
    this.index = null;
    this.show(tip, { staysHere: true });
  }

  /** Have these messages follow another one. @param {number[]} ids @param {number | null} parent */
  move(ids, parent) {
    for (const id of ids) Object.assign(this.known.get(id) ?? {}, { parent });
    this.index = null;
  }

  /** @returns {boolean} whether anything follows the message, in any branch */
  hasMessagesBelow({ id }) {
    return this.#children(id).length > 0;
  }

  /** @param {Message} message with others below it @returns {string} why it cannot be deleted without them; empty if it can */
  whyNotDeletedAlone({ id, parent }) {
    const below = [...this.#children(id)];
    const isFirst = parent === null && below.some(({ role }) => role === "assistant");
    if (isFirst) return "a chat begins with a question: delete its answers first";
    for (const one of below) below.push(...this.#children(one.id));
    return [this.known.get(id), ...below].some(({ status }) => status === "answering") ? "an answer is being written in this branch" : "";
  }

  /** @returns {boolean} whether the question of this answer was deleted; what a tool returned is a question, too */
  isWithoutQuestion({ parent }) {
    const above = this.known.get(parent);
    return above?.role === "assistant" && !above.calls.length;
  }

  /** @returns {Message[]} the message and its alternatives, oldest first; an edit makes one the newest */
  alternatives({ parent }) {
    return [...this.#children(parent)].sort(byAge);
  }

  /** @param {Message} message an answer @returns {Message[]} it and the other answers to its question */
  answersBeside(message) {
    return this.alternatives(message).filter(({ role }) => role === "assistant");
  }

  /** @returns {number} the tip of the newest branch below this message */
  newestTip(message) {
    const next = [...this.#children(message.id)].sort(byAge).at(-1);
    return next ? this.newestTip(next) : message.id;
  }

  #add(message) {
    this.known.set(message.id, message);
    this.index = null;
  }

  /** The messages right below this one; looked up, for a long conversation asks this of each of its messages. */
  #children(parent) {
    this.index ??= Map.groupBy(this.known.values(), (message) => message.parent);
    return this.index.get(parent) ?? [];
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const writtenAt = ({ edited_at: editedAt, at }) => editedAt ?? at ?? "";

function byAge(one, other) {
  const [before, after] = [writtenAt(one), writtenAt(other)];
  return before < after ? -1 : Number(before > after) || one.id - other.id;
}
