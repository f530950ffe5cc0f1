/** Sends questions and follows their answers; the only module that knows the protocol. */
import { changesBy } from "./answer-events.js";
import { call, follow } from "./api.js";
import { postQuestion } from "./post-question.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/** Fires "state" when something begins or ends, "problem" and "note" (detail: a text), "changed" when another window was first, and "asked" (detail: the conversation). */
export class Chat extends EventTarget {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./models.js").Models} models
   * @param {import("./settings.js").Settings} settings
   */
  constructor(conversation, models, settings) {
    super();
    this.conversation = conversation;
    this.models = models;
    this.settings = settings;
    /** @type {Map<number, AbortController>} the answers that this page follows */
    this.following = new Map();
    /** @type {Map<unknown, AbortController>} the questions that the server has not answered for yet, by their chat */
    this.asking = new Map();
    /** @type {string | null} the chat that is being loaded; the one before it is still shown */
    this.loading = null;
    /** @type {Promise<void>} of the chat that is being loaded: a question waits for it */
    this.opening = Promise.resolve();
    this.visits = 0; // of chats
    this.syncs = 0;
    this.synced = 0; // the latest whose answer was taken over
    this.changes = 0; // that this page has made: what was loaded before the latest is out of date
    /** @type {Set<number>} the answers that this page has asked for with its settings */
    this.own = new Set();
  }

  get isAsking() {
    return this.asking.has(this.#place);
  }

  get isAnswering() {
    return !this.loading && (this.isAsking || this.conversation.isAnswering);
  }

  /** A new chat has no id, but messages of its own. */
  get #place() {
    return this.conversation.id ?? this.conversation.known;
  }

  /** Send a message after the branch that is shown. @param {string} text @param {string[]} [attachments] ids */
  send(text, attachments = []) {
    return this.#ask({ parent: this.conversation.tip, content: text, attachments, at_end: true });
  }

  /** Send an edited question with these files, as an alternative to `message`. @param {string[]} attachments ids */
  edit(message, text, attachments) {
    if (!this.conversation.known.has(message.id)) return this.#isLeft();
    return this.#ask({ parent: message.parent, content: text, attachments });
  }

  /** Generate an alternative answer, with the current model and settings, or with those of `made`. */
  regenerate(message, made) {
    return this.#ask({ parent: message.parent }, made);
  }

  /** Answer a question that has no answer, or once more. */
  answer(question) {
    return this.#ask({ parent: question.id });
  }

  /**
   * Have an answer go on in place, from the text it has.
   * @returns {Promise<number | null>} once that has ended, the id by which it can be undone; null where nothing came
   */
  async continue({ id }) {
    if (this.isAsking || this.settings.hold()) return null;
    const { id: open } = this.conversation;
    const before = this.conversation.known.get(id)?.content;
    const question = { model: this.models.picked?.id ?? "", ...this.settings.requestFields };
    const begun = await this.#asking((signal) => call("POST", `/chat/messages/${id}/continue/`, { question, timezone: timezone() }, signal), ({ messages }) => {
      if (this.conversation.id !== open) return;
      this.changes += 1;
      this.own.add(id);
      for (const message of messages) this.conversation.put({ ...message, heard: null });
    });
    if (!begun || this.conversation.id !== open) return null;
    await this.#follow(id);
    const { status, content } = this.conversation.known.get(id) ?? {};
    if (status === "done" && content === before) this.#emit("note", "The model added nothing: it considers this answer complete.");
    return content && content !== before ? begun.original : null;
  }

  /** Continue after an answer, with the results of its calls. */
  sendResults(message, results) {
    return this.#ask({ parent: message.id, results, at_end: true });
  }

  /** Stop what is being answered; a question that is being sent is taken back. */
  async stop() {
    if (this.loading) return;
    this.asking.get(this.#place)?.abort();
    const stops = this.conversation.running.map(({ id }) => call("POST", `/chat/messages/${id}/stop/`));
    await this.#attempt(() => Promise.all(stops));
  }

  /** Have an answer end its reasoning, so that its text begins. Returns false when that failed. */
  async answerNow({ id }) {
    return Boolean(await this.#attempt(() => call("POST", `/chat/messages/${id}/answer-now/`)));
  }

  /** Load what other windows have changed. Returns whether the chat went on in a branch that is not shown. */
  async sync() {
    const { changes, conversation: { id, known } } = this;
    this.syncs += 1;
    const number = this.syncs;
    const whole = await call("GET", `/chat/conversations/${id}/`);
    if (this.conversation.known !== known || number < this.synced) return false; // another chat was opened, or a later answer was faster
    if (this.changes !== changes) return this.sync(); // it may be from before this page's own change
    this.synced = number;
    const isElsewhere = this.conversation.merge(whole, (message) => this.following.has(message));
    for (const message of whole.messages) if (message.status === "answering") this.#follow(message.id);
    this.#emit("state");
    return isElsewhere;
  }

  /** @param {string} id @returns {Promise<boolean>} false when another chat was opened meanwhile; throws an AnswerError */
  open(id) {
    const opened = this.#open(id);
    this.opening = opened.catch(() => {});
    return opened;
  }

  async #open(id) {
    this.visits += 1;
    const { visits } = this;
    this.#setLoading(id === this.conversation.id ? null : id);
    const whole = await call("GET", `/chat/conversations/${id}/`).catch((error) => error);
    if (visits !== this.visits) return false;
    this.#setLoading(null);
    if (whole instanceof Error) throw whole;
    this.#unfollow();
    this.conversation.open(whole);
    for (const message of whole.messages) if (message.status === "answering") this.#follow(message.id);
    this.#emit("state");
    return true;
  }

  #setLoading(id) {
    this.loading = id;
    this.#emit("state");
  }

  /** Leave the chat; running answers continue without this page. */
  leave() {
    this.visits += 1;
    this.loading = null;
    this.#unfollow();
  }

  #unfollow() {
    for (const controller of this.following.values()) controller.abort();
    this.following.clear();
  }

  /** @returns {boolean} false: a text is meant for a chat that was left before it could be sent */
  #isLeft() {
    this.#emit("problem", "Not sent, since another chat was opened first. Your text is kept there.");
    return false;
  }

  async #ask(turn, made) {
    if (this.isAsking || this.settings.hold()) return false;
    if (!this.models.picked) {
      this.#emit("problem", this.models.missing.length ? "Choose a model first: the one of this chat is not available." : "There is no model.");
      return false;
    }
    this.models.keepPick();
    const settings = this.settings.stored;
    const { id, known, running } = this.conversation;
    const asked = await this.#asking((signal) => postQuestion(this.conversation, {
      conversation: id,
      settings,
      timezone: timezone(),
      models: made ? [] : this.models.compared,
      question: made ?? { model: this.models.picked.id, ...this.settings.requestFields },
      ...turn,
    }, signal), (answer) => {
      const { id: open, known: shown } = this.conversation;
      if (shown !== known && open !== answer.conversation) return; // another chat was opened meanwhile
      this.settings.asked(answer.conversation, settings);
      this.#show(answer);
      if (!made) for (const { id: message } of answer.messages) this.own.add(message);
      this.#stopHidden(running);
    }, { hasOwnSettings: !made });
    return Boolean(asked);
  }

  /**
   * One question of a chat at a time; other chats can be asked meanwhile.
   * @param {(signal: AbortSignal) => Promise<any>} act @param {(asked: any) => void} take what the server answers, unless it failed
   */
  async #asking(act, take, about) {
    const place = this.#place;
    const controller = new AbortController();
    this.asking.set(place, controller);
    this.#emit("state");
    const asked = await this.#attempt(() => act(controller.signal), about);
    if (asked) take(asked);
    this.asking.delete(place);
    this.#emit("state");
    return asked;
  }

  /** Stop the answers that a new version has taken the place of: nothing on the page shows or stops them any more. */
  async #stopHidden(before) {
    const { running } = this.conversation;
    const hidden = before.filter((message) => message.status === "answering" && !running.includes(message));
    if (!hidden.length) return;
    const stopped = await this.#attempt(() => Promise.all(hidden.map(({ id }) => call("POST", `/chat/messages/${id}/stop/`))));
    if (stopped) this.#emit("note", "The earlier answer was stopped. It is kept as another version.");
  }

  #show({ conversation, title, messages, plan }) {
    this.changes += 1;
    Object.assign(this.conversation, { id: conversation, title });
    for (const message of messages) this.conversation.put(message);
    const [question, ...answers] = messages;
    if (answers.length > 1) this.conversation.compared.add(question.id);
    this.conversation.show(answers.at(-1).id);
    this.#emit("asked", this.conversation);
    if (plan) this.#emit("note", plan);
    for (const { id } of answers) this.#follow(id);
  }

  async #follow(id) {
    if (this.following.has(id)) return;
    const controller = new AbortController();
    this.following.set(id, controller);
    for (let failures = 0; !controller.signal.aborted; failures += 1) {
      try {
        for await (const event of follow(`/chat/messages/${id}/events/`, controller.signal)) {
          failures = 0;
          this.#receive(id, event);
        }
      } catch (error) {
        if (error.status === 404) break; // its conversation was deleted
        if (!controller.signal.aborted && !error.code) console.error(error);
      }
      if (this.conversation.known.get(id)?.status !== "answering") break;
      await new Promise((done) => { setTimeout(done, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]); });
    }
    if (this.following.get(id) === controller) this.following.delete(id);
    this.#emit("state");
  }

  #receive(id, event) {
    const message = this.conversation.known.get(id);
    if (!message) return;
    this.conversation.change(message, event.type === "answer" ? { ...event.answer, thoughtAt: performance.now() } : changesBy(message, event));
    if (event.type !== "answer") return;
    const { status, error, error_param: param } = event.answer;
    if (status === "failed" && param && this.own.delete(id)) this.settings.refuse(param, error, "Not answered.");
    this.#emit("state");
  }

  /** @param {() => Promise<any>} act @param {{hasOwnSettings?: boolean}} [about] whether a refused field may be a setting of the page */
  async #attempt(act, { hasOwnSettings = false } = {}) {
    try {
      return await act();
    } catch (error) {
      if (error.name === "AbortError") return null; // the visitor has taken it back
      if (!error.code) console.error(error);
      if (error.code === "conversation_changed") this.#emit("changed");
      const isSetting = hasOwnSettings && error.param && this.settings.refuse(error.param, error.message, "Not sent.");
      if (error.status !== 401 && !isSetting) this.#emit("problem", error.code ? error.message : "An error occurred. Reload the page.");
      return null;
    }
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** For the variables of the system prompt. */
const timezone = () => Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
