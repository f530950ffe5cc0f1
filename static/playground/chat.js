/** Asking and answering: the one place that knows what a question becomes. */
import { call, follow } from "./api.js";

const RETRY_MS = [500, 1000, 2000, 4000, 8000];

/** Fires "state" when something begins or ends, "problem" and "note" (detail: words), and "asked" (detail: the conversation). */
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
    /** @type {Map<number, AbortController>} the answers that this page listens to */
    this.following = new Map();
    this.isAsking = false;
  }

  get isAnswering() {
    return this.isAsking || this.conversation.isAnswering;
  }

  /** @param {string} words said after what is shown */
  send(words) {
    return this.#ask({ parent: this.conversation.tip, content: words });
  }

  /** Say something else in place of a question: another take of it. */
  edit(message, words) {
    return this.#ask({ parent: message.parent, content: words });
  }

  /** Another take of an answer, by the model and the settings of now, or by those of `made`. */
  again(message, made) {
    return this.#ask({ parent: message.parent }, made);
  }

  /** Go on after an answer whose calls have their results now. */
  goOn(message, results) {
    return this.#ask({ parent: message.id, results });
  }

  async stop() {
    const stops = this.conversation.underWay.map(({ id }) => call("POST", `/chat/messages/${id}/stop/`));
    await this.#attempt(() => Promise.all(stops));
  }

  /** @param {string} id */
  async open(id) {
    this.leave();
    const whole = await call("GET", `/chat/conversations/${id}/`);
    this.conversation.open(whole);
    for (const message of whole.messages) if (message.status === "answering") this.#follow(message.id);
    this.#tell("state");
  }

  /** Stop listening; answers under way go on without this page. */
  leave() {
    for (const listening of this.following.values()) listening.abort();
    this.following.clear();
  }

  async #ask(turn, made) {
    if (this.isAsking) return false;
    if (!this.models.picked) {
      this.#tell("problem", "There is no model to ask.");
      return false;
    }
    this.models.settle();
    this.#become(true);
    const asked = await this.#attempt(() => call("POST", "/chat/ask/", {
      conversation: this.conversation.id,
      settings: this.settings.values,
      models: made ? [] : this.models.compared,
      question: made ?? { model: this.models.picked.id, ...this.settings.wishes },
      ...turn,
    }));
    if (asked) this.#take(asked);
    this.#become(false);
    return Boolean(asked);
  }

  #take({ conversation, title, messages, plan }) {
    Object.assign(this.conversation, { id: conversation, title });
    for (const message of messages) this.conversation.put(message);
    const [question, ...answers] = messages;
    if (answers.length > 1) this.conversation.beside.add(question.id);
    this.conversation.show(answers.at(-1).id);
    this.#tell("asked", this.conversation);
    if (plan) this.#tell("note", plan);
    for (const { id } of answers) this.#follow(id);
  }

  async #follow(id) {
    const listening = new AbortController();
    this.following.set(id, listening);
    for (let failures = 0; !listening.signal.aborted; failures += 1) {
      try {
        for await (const event of follow(`/chat/messages/${id}/events/`, listening.signal)) {
          failures = 0;
          this.#hear(id, event);
        }
      } catch (error) {
        if (error.status === 404) break; // its conversation was deleted
        if (!listening.signal.aborted && !error.code) console.error(error);
      }
      if (this.conversation.known.get(id)?.status !== "answering") break;
      await new Promise((done) => { setTimeout(done, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]); });
    }
    this.following.delete(id);
    this.#tell("state");
  }

  #hear(id, event) {
    const message = this.conversation.known.get(id);
    if (!message) return;
    this.conversation.change(message, event.type === "answer" ? event.answer : became(message, event));
    if (event.type === "answer") this.#tell("state");
  }

  async #attempt(act) {
    try {
      return await act();
    } catch (error) {
      if (!error.code) console.error(error);
      this.#tell("problem", error.code ? error.message : "Something went wrong in this page. Reloading helps.");
      return null;
    }
  }

  #become(isAsking) {
    this.isAsking = isAsking;
    this.#tell("state");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** What the answer becomes by one event. */
function became(answer, event) {
  switch (event.type) {
    case "progress": return { waiting: { phase: event.phase, done: event.done ?? 0, total: event.total ?? 0, cached: event.cached ?? 0 } };
    case "accepted": return { waiting: { phase: "prefill", done: 0, total: 0 } };
    case "text": return { ...spoke(answer, event), content: answer.content + event.text };
    case "reasoning": return { ...spoke(answer, event), reasoning: answer.reasoning + event.text };
    case "tool_call": return { ...spoke(answer, event), calls: grown(answer.calls, event) };
    default: return {};
  }
}

/** It no longer waits, and its tokens are counted as this page hears them. */
function spoke({ heard }, { tokens }) {
  const now = performance.now();
  return { waiting: null, heard: { tokens: (heard?.tokens ?? 0) + (tokens ?? 1), since: heard?.since ?? now, now } };
}

/** The calls with the next piece of one of them; its first piece has its id and name. */
function grown(calls, { call: place, id, name, text = "" }) {
  const known = calls[place] ?? { id, name, arguments: "" };
  return [...calls.slice(0, place), { ...known, arguments: known.arguments + text }, ...calls.slice(place + 1)];
}
