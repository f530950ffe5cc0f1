/** How much of the model's context the conversation and the words being typed take. */
import { call } from "./api.js";
import { context, count } from "./format.js";

const AFTER_MS = 500;

export class Gauge {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./models.js").Models} models
   */
  constructor(conversation, models) {
    this.conversation = conversation;
    this.models = models;
    this.root = document.querySelector("#gauge");
    this.typed = 0;
    this.asked = 0;
    conversation.addEventListener("branch", () => this.#show());
    conversation.addEventListener("change", ({ detail }) => { if (detail.status === "done") this.#show(); });
    models.addEventListener("change", () => this.#show());
  }

  /** @param {string} words being typed */
  count(words) {
    clearTimeout(this.timer);
    if (words.trim()) this.timer = setTimeout(() => this.#ask(words), AFTER_MS);
    else this.#take(0);
  }

  /** Counting asks the model's own tokenizer, and must never be what loads a model. */
  async #ask(words) {
    const model = this.models.picked;
    if (model?.state !== "ready" && model?.state !== "busy") return;
    this.asked += 1;
    const asked = this.asked;
    const told = await call("POST", "/v1/tokenize", { model: model.id, prompt: words }).catch(() => null);
    if (told && asked === this.asked) this.#take(told.count);
  }

  #take(tokens) {
    this.typed = tokens;
    this.#show();
  }

  #show() {
    const { last } = this.conversation;
    const said = last?.figures ? last.figures.prompt_tokens + last.figures.tokens : 0;
    const room = this.models.picked?.context_length;
    const taken = said + this.typed;
    this.root.hidden = !taken || !room;
    if (this.root.hidden) return;
    this.root.textContent = `${count(taken)} of ${context(room)} tokens`;
    this.root.classList.toggle("is-tight", taken > 0.9 * room);
  }
}
