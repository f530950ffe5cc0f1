/** How much of the model's context the conversation, the text in the field and its files use. */
import { call } from "./api.js";
import { CHARACTERS_PER_TOKEN } from "./attachment.js";
import { count } from "./format.js";

const AFTER_MS = 500;
const TIGHT = 0.9; // of the context

const estimate = (text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN);
/** @param {import("./conversation.js").Message} message */
const estimateOf = ({ content, reasoning, attachments = [] }) => estimate(content) + estimate(reasoning ?? "")
  + attachments.reduce((sum, { characters }) => sum + Math.ceil(characters / CHARACTERS_PER_TOKEN), 0);

export class Gauge {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./models.js").Models} models
   * @param {import("./attachments.js").Attachments} attachments
   */
  constructor(conversation, models, attachments) {
    this.conversation = conversation;
    this.models = models;
    this.attachments = attachments;
    this.root = document.querySelector("#gauge");
    this.warning = document.querySelector("#gauge-warning");
    this.text = "";
    /** @type {{model: string, text: string, tokens: number} | null} the latest count by a tokenizer */
    this.counted = null;
    conversation.addEventListener("branch", () => this.#show());
    conversation.addEventListener("change", ({ detail }) => { if (detail.status === "done") this.#show(); });
    attachments.addEventListener("change", () => this.#show());
    models.addEventListener("change", () => this.count(this.text));
  }

  /** @param {string} text being typed */
  count(text) {
    this.text = text;
    clearTimeout(this.timer);
    if (text.trim() && !this.#isCounted) this.timer = setTimeout(() => this.#ask(text), AFTER_MS);
    this.#show();
  }

  get #isCounted() {
    return this.counted?.text === this.text && this.counted.model === this.models.picked?.id;
  }

  /** Counting uses the model's tokenizer, and must never load a model. */
  async #ask(text) {
    const model = this.models.picked;
    if (model?.state !== "ready" && model?.state !== "busy") return;
    const counted = await call("POST", "/v1/tokenize", { model: model.id, prompt: text }).catch(() => null);
    if (!counted || text !== this.text) return;
    this.counted = { model: model.id, text, tokens: counted.count };
    this.#show();
  }

  /** The tokens of the branch: as the latest answer counted them, and about as many for what came after it. */
  #used() {
    const { messages } = this.conversation;
    const last = messages.findLastIndex(({ figures }) => figures);
    const { figures } = messages[last] ?? {};
    const after = messages.slice(last + 1).filter(({ status }) => status !== "answering");
    const tokens = after.reduce((sum, message) => sum + estimateOf(message), 0);
    return { tokens: tokens + (figures ? figures.prompt_tokens + figures.tokens : 0), isExact: !tokens };
  }

  #show() {
    const model = this.models.picked;
    const used = this.#used();
    const typed = !this.text.trim() ? 0 : this.#isCounted ? this.counted.tokens : estimate(this.text);
    const total = used.tokens + typed + this.attachments.tokens;
    const limit = model?.context_length;
    this.root.hidden = !total || !limit;
    const isExact = used.isExact && (!typed || this.#isCounted) && this.attachments.areCounted;
    const isOver = !this.root.hidden && total > limit;
    this.root.textContent = `${isExact ? "" : "about "}${count(total)} of ${count(limit ?? 0)} tokens`;
    this.root.classList.toggle("is-tight", total > TIGHT * limit);
    this.root.classList.toggle("is-over", isOver);
    const warning = isOver ? `This is longer than ${model.id} reads: ${isExact ? "" : "about "}${count(total)} of ${count(limit)} tokens. ${this.#advice()}` : "";
    if (this.warning.textContent !== warning) this.warning.textContent = warning;
  }

  #advice() {
    return this.attachments.all.length ? "Remove a file, or shorten the text." : "Shorten the text, or begin a new chat.";
  }
}
