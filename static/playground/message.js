/** One message on the page. */
import { Calls } from "./calls.js";
import { differenceView } from "./difference.js";
import { answerForm } from "./answer-edit.js";
import { drafts } from "./drafts.js";
import { EditForm } from "./edit-form.js";
import { element } from "./element.js";
import { count, rate } from "./format.js";
import { Details } from "./details.js";
import { foldButton } from "./fold.js";
import { phaseText } from "./load-phases.js";
import { Markdown } from "./markdown.js";
import { AnswerFoot, questionFoot } from "./message-foot.js";
import { filesView } from "./message-files.js";
import { addressOf } from "./pictures.js";
import { Probabilities } from "./probabilities.js";
import { Thinking } from "./thinking.js";
import { Alternatives } from "./alternatives.js";

const RENDER_EVERY_MS = 100; // Markdown on every token would take the whole main thread

/** @typedef {ReturnType<typeof import("./message-acts.js").messageActs>} Acts */

/**
 * @param {import("./conversation.js").Message} message
 * @param {import("./conversation.js").Conversation} conversation
 * @param {Acts} acts
 * @returns {{root: HTMLElement, message: object, show(): void, showAlternatives(): void}}
 */
export function messageView(message, conversation, acts) {
  return message.role === "user" ? new Question(message, conversation, acts) : new Answer(message, conversation, acts);
}

class Question {
  constructor(message, conversation, acts) {
    this.message = message;
    this.acts = acts;
    this.alternatives = new Alternatives(message, conversation, acts.onShow);
    this.prose = element("div", { className: "prose" });
    new Markdown(this.prose).show(message.content, true);
    this.conversation = conversation;
    this.edit = this.edit.bind(this);
    this.answer = element("button", { type: "button", className: "mini firm-mini", onclick: () => acts.onAnswerAgain(message) }, "Get an answer");
    this.foot = questionFoot(this, this.answer);
    this.files = filesView(message);
    this.root = element("article", { className: "message is-user", "aria-label": "You" }, ...this.files, this.prose, foldButton(this.prose), this.foot);
    this.showAlternatives();
    this.draft = `edit.${message.id}`;
    if (!acts.isReadOnly && drafts.read(this.draft)) this.edit({ isFocused: false }); // it was open when the page ended
  }

  show() {}

  /** And a button where the answer was deleted, or the chat was branched off here. */
  showAlternatives() {
    this.alternatives.show();
    this.answer.hidden = this.conversation.tip !== this.message.id;
  }

  /** The text becomes a field; sending adds an alternative, and this question stays. */
  edit({ isFocused = true } = {}) {
    if (this.form) return;
    this.form = new EditForm({
      key: this.draft,
      text: this.message.content,
      label: "Edit your question",
      attachments: this.message.attachments?.map((file) => ({ ...file, address: addressOf(this.message.id, file.id) })),
      limits: this.acts.limits,
      onSend: (text, attachments) => this.acts.onEdit(this.message, text, attachments),
      onClose: () => this.#closeForm(),
    });
    this.form.onReopen = () => this.edit();
    this.prose.replaceWith(this.form.root);
    this.#setEditing(true);
    if (isFocused) this.form.focus();
  }

  #closeForm() {
    this.form.root.replaceWith(this.prose);
    this.form = null;
    this.#setEditing(false);
  }

  #setEditing(isEditing) {
    for (const part of [this.foot, ...this.files]) part.hidden = isEditing;
  }
}

class Answer {
  constructor(message, conversation, acts) {
    this.message = message;
    this.conversation = conversation;
    this.acts = acts;
    this.alternatives = new Alternatives(message, conversation, acts.onShow);
    this.calls = new Calls((results) => acts.onResults(message, results), message.id);
    this.prose = element("div", { className: "prose" });
    this.thinking = new Thinking();
    this.answerNow = element("button", { type: "button", className: "answer-now", hidden: true, onclick: () => this.#endThinking() }, "Answer now");
    this.probabilities = new Probabilities();
    this.state = element("div");
    this.isRaw = false;
    this.details = new Details();
    this.foot = new AnswerFoot(this);
    this.by = element("p", { className: "by" }, message.model);
    this.root = element("article", { className: "message is-assistant", "aria-label": message.model || "Answer" },
      this.by, this.thinking.root, this.answerNow, this.prose, this.probabilities.root, this.calls.root, this.state);
    this.markdown = new Markdown(this.prose);
    this.timer = null;
    this.renderedInMs = 0; // long code takes its time: most of it is left to the page
    this.#render();
    this.draft = `answer.${message.id}`;
    if (!acts.isReadOnly && drafts.read(this.draft)) this.edit({ isFocused: false }); // it was open when the page ended
  }

  /** Called at every event; renders at most every RENDER_EVERY_MS while the text grows. */
  show() {
    if (this.message.status !== "answering" || !this.hasStarted) {
      this.#render();
      return;
    }
    this.timer ??= setTimeout(() => this.#render(), Math.max(RENDER_EVERY_MS, 4 * this.renderedInMs));
  }

  showAlternatives() {
    this.alternatives.show();
    this.foot.show();
  }

  #render() {
    clearTimeout(this.timer);
    this.timer = null;
    const begun = performance.now();
    const { content, reasoning, status } = this.message;
    const isFinal = status !== "answering";
    this.hasStarted = Boolean(content || reasoning || this.message.calls.length) && !this.#isWaitingToContinue();
    this.by.replaceChildren(this.message.model, ...(this.message.edited_at ? [" · ", element("span", { className: "edited" }, "edited")] : []));
    this.root.setAttribute("aria-busy", String(!isFinal));
    this.root.dataset.status = isFinal ? status : this.hasStarted ? "streaming" : "waiting";
    this.thinking.show(this.message);
    this.#renderAnswerNow(isFinal);
    this.#renderProse(content, isFinal);
    this.calls.show(this.message.calls, isFinal);
    this.#renderState();
    this.alternatives.show();
    this.renderedInMs = performance.now() - begun;
    this.root.dispatchEvent(new Event("rendered", { bubbles: true }));
  }

  /** Whether an answer that is continued waits for its model; "paused" is a state of growing answers. */
  #isWaitingToContinue() {
    const { status, waiting } = this.message;
    return status === "answering" && Boolean(waiting) && waiting.phase !== "paused";
  }

  #renderAnswerNow(isFinal) {
    const isThinking = !isFinal && Boolean(this.message.thinking);
    if (!isThinking) this.answerNow.disabled = false;
    this.answerNow.hidden = !isThinking;
  }

  async #endThinking() {
    this.answerNow.disabled = true;
    if (!(await this.acts.onAnswerNow(this.message))) this.answerNow.disabled = false;
  }

  #renderProse(content, isFinal) {
    this.prose.classList.toggle("is-raw", this.isRaw);
    if (this.isRaw) this.prose.textContent = content;
    else this.markdown.show(content, isFinal);
  }

  #renderState() {
    if (this.root.dataset.status === "streaming") this.state.replaceChildren(liveLine(this.message));
    else if (this.root.dataset.status === "waiting") this.#renderWaiting();
    else this.#renderEnd();
  }

  /** The row is kept and updated: a button that is drawn anew would lose the focus. */
  #renderEnd() {
    this.foot.show();
    this.details.show(this.message);
    const parts = [...this.#error(), ...this.#replayed(), this.foot.root, this.details.root];
    if (this.foot.root.parentElement !== this.state) this.state.replaceChildren(...parts);
    for (const part of [...this.state.children]) if (!parts.includes(part)) part.remove();
    parts.forEach((part, place) => { if (this.state.children[place] !== part) this.state.insertBefore(part, this.state.children[place] ?? null); });
  }

  /** The elements are kept and updated, so that their animations continue. */
  #renderWaiting() {
    const { text, share } = waitingText(this.message);
    this.waiting ??= new Waiting();
    if (!this.waiting.root.isConnected) this.state.replaceChildren(this.waiting.root);
    this.waiting.show(text, share);
  }

  #error() {
    const { error } = this.message;
    if (!error) return [];
    const again = element("button", { type: "button", onclick: () => this.acts.onRegenerate(this.message) }, "Try again");
    const isAsked = !this.acts.isWithoutQuestion(this.message);
    return [element("div", { className: "error", role: "alert" }, error, ...(isAsked ? [again] : []))];
  }

  #replayed() {
    const original = this.conversation.known.get(this.message.replayOf);
    return original ? [differenceView(original.content, this.message.content)] : [];
  }

  /** The text becomes a field until the server has saved it; the original stays as an earlier version. */
  edit({ isFocused = true } = {}) {
    if (this.form) return;
    const close = () => { this.form.replaceWith(this.prose); this.form = null; this.foot.more.focus(); };
    const reopen = (text) => { drafts.write(this.draft, text); this.edit(); };
    this.form = answerForm({
      key: this.draft,
      text: this.message.content,
      isFocused,
      onSave: (changed) => this.acts.onEditAnswer(this.message, changed),
      onClose: close,
      onCancel: (changed) => { close(); if (changed !== this.message.content) this.acts.onDiscard(() => reopen(changed)); },
    });
    this.prose.hidden = false;
    this.probabilities.root.hidden = true;
    this.prose.replaceWith(this.form);
  }

  toggleDetails() {
    this.details.toggle(this.message);
  }

  toggleRaw() {
    this.isRaw = !this.isRaw;
    this.prose.replaceChildren();
    this.markdown = new Markdown(this.prose);
    this.#render();
  }

  toggleProbabilities() {
    const isShown = this.probabilities.root.hidden;
    this.probabilities.root.hidden = !isShown;
    this.prose.hidden = isShown;
    if (isShown) this.probabilities.show(this.message.tokens);
  }
}

class Waiting {
  constructor() {
    this.text = element("span");
    this.bar = element("progress", { max: 1, "aria-label": "Progress" });
    this.root = element("div", { className: "waiting" }, element("span", { className: "pulse" }), this.text, this.bar);
  }

  show(text, share) {
    this.text.textContent = text;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
  }
}

/** @param {import("./conversation.js").Message} message @returns {{text: string, share: number | null}} */
export function waitingText({ waiting, model }) {
  const share = waiting?.total ? waiting.done / waiting.total : null;
  switch (waiting?.phase) {
    case "queued": {
      const own = waiting.own ? `, as ${count(waiting.own)} of your own run or wait` : "";
      return { text: waiting.done > 1 ? `Queued: ${count(waiting.done - 1)} before you${own}…` : "Queued…", share: null };
    }
    case "loading": return { text: `Loading ${model}…${share === null ? "" : ` ${Math.round(share * 100)} %`}${phaseText(waiting.load_phase)}`, share };
    case "prefill": return { text: `Processing the prompt…${share === null ? "" : ` ${count(waiting.done)} of ${count(waiting.total)} tokens`}${waiting.cached ? `, ${count(waiting.cached)} of them cached` : ""}`, share };
    case "paused": return { text: "Paused until there is memory for the rest of the answer…", share: null };
    default: return { text: "Sending…", share: null };
  }
}

/** The speed of a running answer, after half a second, or that it is paused. */
function liveLine({ heard, waiting }) {
  if (waiting?.phase === "paused") return element("p", { className: "live" }, waitingText({ waiting }).text);
  const passedS = heard ? (heard.now - heard.since) / 1000 : 0;
  const text = passedS > 0.5 ? `${count(heard.tokens)} tokens · ${rate(heard.tokens / passedS)} tokens/s` : "";
  return element("p", { className: "live" }, text);
}
