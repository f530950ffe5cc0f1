/** Asking and answering: the one place that knows what a question becomes. */
import { ask } from "./api.js";
import { Stopwatch } from "./stopwatch.js";

/** Fires "state" when an answer begins or ends. */
export class Chat extends EventTarget {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./models.js").Models} models
   * @param {import("./settings.js").Settings} settings
   * @param {string} address
   */
  constructor(conversation, models, settings, address) {
    super();
    this.conversation = conversation;
    this.models = models;
    this.settings = settings;
    this.address = address;
    /** @type {AbortController | null} */
    this.running = null;
  }

  get isAnswering() {
    return this.running !== null;
  }

  /** @param {string} words */
  async send(words) {
    this.conversation.add({ role: "user", content: words, status: "done" });
    await this.#answer();
  }

  /** Answer the last question again, in place of the answer it has. */
  async regenerate() {
    if (this.isAnswering || this.conversation.last?.role !== "assistant") return;
    this.conversation.removeLast();
    await this.#answer();
  }

  /** Go on after an answer whose calls have their results now. */
  async goOn(message) {
    this.conversation.change(message, {});
    if (!this.isAnswering && this.conversation.last === message) await this.#answer();
  }

  stop() {
    this.running?.abort();
  }

  async #answer() {
    const model = this.models.picked.id;
    const answer = this.conversation.add({ role: "assistant", content: "", model, status: "waiting" });
    const running = new AbortController();
    this.#run(running);
    try {
      await this.#follow(answer, ask(this.address, this.#question(model), running.signal));
    } catch (error) {
      running.abort(); // whatever went wrong here, the server need not go on
      this.conversation.change(answer, { waiting: undefined, ...ending(error) });
    } finally {
      if (this.running === running) this.#run(null);
    }
  }

  #run(running) {
    this.running = running;
    this.dispatchEvent(new Event("state"));
  }

  #question(model) {
    const { system, wishes } = this.settings;
    const opening = system ? [{ role: "system", content: system }] : [];
    return { model, messages: [...opening, ...this.conversation.turns], ...wishes };
  }

  async #follow(answer, events) {
    const watch = new Stopwatch();
    for await (const event of events) {
      watch.note(event);
      this.conversation.change(answer, became(answer, event, watch));
    }
  }
}

/** What the answer becomes by one event. */
function became(answer, event, watch) {
  switch (event.type) {
    case "progress": return { waiting: { phase: event.phase, done: event.done ?? 0, total: event.total ?? 0 } };
    case "accepted": return { waiting: { phase: "prefill", done: 0, total: 0 } };
    case "text": return { status: "streaming", waiting: undefined, content: answer.content + event.text };
    case "reasoning": return { status: "streaming", waiting: undefined, reasoning: (answer.reasoning ?? "") + event.text };
    case "tool_call": return { status: "streaming", waiting: undefined, calls: grown(answer.calls ?? [], event) };
    case "finished": return { status: "done", waiting: undefined, figures: watch.figures(event) };
    default: return {};
  }
}

/** The calls with the next piece of one of them; its first piece has its id and name. */
function grown(calls, { call, id, name, text = "" }) {
  const known = calls[call] ?? { id, name, arguments: "" };
  return [...calls.slice(0, call), { ...known, arguments: known.arguments + text }, ...calls.slice(call + 1)];
}

function ending(error) {
  if (error.name === "AbortError") return { status: "stopped" };
  if (!error.code) console.error(error);
  return { status: "failed", error: error.code ? error.message : "Something went wrong in this page. Reloading helps." };
}
