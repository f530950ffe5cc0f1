/** How much of the model's context the conversation and the text in the field use. */
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
    this.requests = 0;
    conversation.addEventListener("branch", () => this.#show());
    conversation.addEventListener("change", ({ detail }) => { if (detail.status === "done") this.#show(); });
    models.addEventListener("change", () => this.#show());
  }

  /** @param {string} text being typed */
  count(text) {
    clearTimeout(this.timer);
    if (text.trim()) this.timer = setTimeout(() => this.#ask(text), AFTER_MS);
    else this.#setTyped(0);
  }

  /** Counting uses the model's tokenizer, and must never load a model. */
  async #ask(text) {
    const model = this.models.picked;
    if (model?.state !== "ready" && model?.state !== "busy") return;
    this.requests += 1;
    const request = this.requests;
    const counted = await call("POST", "/v1/tokenize", { model: model.id, prompt: text }).catch(() => null);
    if (counted && request === this.requests) this.#setTyped(counted.count);
  }

  #setTyped(tokens) {
    this.typed = tokens;
    this.#show();
  }

  #show() {
    const { last } = this.conversation;
    const used = last?.figures ? last.figures.prompt_tokens + last.figures.tokens : 0;
    const available = this.models.picked?.context_length;
    const total = used + this.typed;
    this.root.hidden = !total || !available;
    if (this.root.hidden) return;
    this.root.textContent = `${count(total)} of ${context(available)} tokens`;
    this.root.classList.toggle("is-tight", total > 0.9 * available);
  }
}
