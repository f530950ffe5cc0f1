/** How much of the model's context the conversation, the text in the field and its files use. */
import { call } from "./api.js";
import { CHARACTERS_PER_TOKEN } from "./attachment.js";
import { count } from "./format.js";
import { isPicture, tokensOf } from "./pictures.js";

const AFTER_MS = 500;
const TIGHT = 0.9; // of the context

const estimate = (text) => Math.ceil(text.length / CHARACTERS_PER_TOKEN);
const estimateOfFile = (file, model) => (isPicture(file) ? tokensOf(file, model) : Math.ceil(file.characters / CHARACTERS_PER_TOKEN));
/** @param {import("./conversation.js").Message} message @param {import("./models.js").Model} [model] */
const estimateOf = ({ content, reasoning, attachments = [] }, model) => estimate(content) + estimate(reasoning ?? "")
  + attachments.reduce((sum, file) => sum + estimateOfFile(file, model), 0);

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
    if (text.trim() && !this.#hasCounted(text)) this.timer = setTimeout(() => this.#ask(text), AFTER_MS);
    this.#show();
  }

  /**
   * Only this text and its files are weighed: what a model reads of earlier messages, only the server knows.
   * @param {string} text of a question
   * @returns {Promise<string>} why the model cannot read it; empty if it may, or if not all of its tokens are counted
   */
  async reasonNotToSend(text) {
    if (this.models.compared.length || !this.#measure(text).isOver) return "";
    if (!this.#hasCounted(text)) this.counted = await this.#tokenized(text) ?? this.counted;
    const measured = this.#measure(text);
    return measured.isSurelyOver ? this.#warningOf(measured) : "";
  }

  #hasCounted(text) {
    return this.counted?.text === text && this.counted.model === this.models.picked?.id;
  }

  async #ask(text) {
    const counted = await this.#tokenized(text);
    if (!counted || text !== this.text) return;
    this.counted = counted;
    this.#show();
  }

  /** Counting uses the model's tokenizer, and must never load a model. */
  async #tokenized(text) {
    const model = this.models.picked;
    if (model?.state !== "ready" && model?.state !== "busy") return null;
    const counted = await call("POST", "/v1/tokenize", { model: model.id, prompt: text }).catch(() => null);
    return counted && { model: model.id, text, tokens: counted.count };
  }

  /** The tokens of the branch: as the latest answer counted them, and about as many for what came after it. */
  #used() {
    const { messages } = this.conversation;
    const last = messages.findLastIndex(({ figures }) => figures);
    const { figures } = messages[last] ?? {};
    const after = messages.slice(last + 1).filter(({ status }) => status !== "answering");
    const tokens = after.reduce((sum, message) => sum + estimateOf(message, this.models.picked), 0);
    return { tokens: tokens + (figures ? figures.prompt_tokens + figures.tokens : 0), isExact: !tokens };
  }

  /** The tokens of the branch, the files and this text, and how they compare with what the model reads. */
  #measure(text) {
    const used = this.#used();
    const isCounted = this.#hasCounted(text);
    const typed = !text.trim() ? 0 : isCounted ? this.counted.tokens : estimate(text);
    const added = typed + this.attachments.tokens;
    const areCounted = (!typed || isCounted) && this.attachments.areCounted;
    const total = used.tokens + added;
    const limit = this.models.picked?.context_length || Infinity;
    return { total, limit, isExact: used.isExact && areCounted, isOver: total > limit, isSurelyOver: areCounted && added > limit };
  }

  #show() {
    const measured = this.#measure(this.text);
    const { total, limit, isExact, isOver } = measured;
    this.root.hidden = !total || limit === Infinity;
    this.root.textContent = `${isExact ? "" : "about "}${count(total)} of ${count(limit)} tokens`;
    this.root.classList.toggle("is-tight", total > TIGHT * limit);
    this.root.classList.toggle("is-over", isOver);
    const warning = isOver ? this.#warningOf(measured) : "";
    if (this.warning.textContent !== warning) this.warning.textContent = warning;
  }

  #warningOf({ total, limit, isExact }) {
    return `This is longer than ${this.models.picked.id} reads: ${isExact ? "" : "about "}${count(total)} of ${count(limit)} tokens. ${this.#advice()}`;
  }

  #advice() {
    return this.attachments.all.length ? "Remove a file, or shorten the text." : "Shorten the text, or begin a new chat.";
  }
}
