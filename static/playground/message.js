/** One message on the page. */
import { Calls } from "./calls.js";
import { copyButton } from "./clipboard.js";
import { differenceView } from "./difference.js";
import { element, icon } from "./element.js";
import { count, rate, seconds } from "./format.js";
import { detailsView } from "./details.js";
import { Markdown } from "./markdown.js";
import { Probabilities } from "./probabilities.js";
import { Thinking } from "./thinking.js";
import { Alternatives } from "./alternatives.js";

const RENDER_EVERY_MS = 100; // Markdown on every token would take the whole main thread

/**
 * @typedef {{onRegenerate: (message: object) => void, onReplay: (message: object) => void, onShow: (tip: number) => void,
 *   onEdit: (message: object, text: string) => void, onResults: (message: object, results: object) => void,
 *   onAnswerNow: (message: object) => Promise<boolean>}} Acts
 */

/**
 * @param {import("./conversation.js").Message} message
 * @param {import("./conversation.js").Conversation} conversation
 * @param {Acts} acts
 * @returns {{root: HTMLElement, message: object, show(): void, showAlternatives(): void}}
 */
export function messageView(message, conversation, acts) {
  return message.role === "user" ? new Question(message, conversation, acts) : new Answer(message, conversation, acts);
}

function button(name, label, onclick) {
  return element("button", { type: "button", className: "mini", title: label, "aria-label": label, onclick }, icon(name));
}

class Question {
  constructor(message, conversation, acts) {
    this.message = message;
    this.acts = acts;
    this.alternatives = new Alternatives(message, conversation, acts.onShow);
    this.prose = element("div", { className: "prose" }, message.content);
    this.foot = element("div", { className: "foot" }, this.alternatives.root,
      copyButton(() => message.content, "Copy question"), button("pen", "Edit question", () => this.edit()));
    this.root = element("article", { className: "message is-user", "aria-label": "You" }, this.prose, this.foot);
  }

  show() {}

  showAlternatives() {
    this.alternatives.show();
  }

  /** The text becomes a field; sending adds an alternative, and this question stays. */
  edit() {
    const field = element("textarea", { value: this.message.content, "aria-label": "Edit your question" });
    const close = () => { form.replaceWith(this.prose); this.foot.hidden = false; };
    const form = element("form", { className: "edit" }, field, element("div", { className: "edit-row" },
      element("button", { type: "button", className: "plain", onclick: close }, "Cancel"),
      element("button", { type: "submit", className: "firm" }, "Send")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close();
      if (field.value.trim()) this.acts.onEdit(this.message, field.value.trim());
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); close(); }
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
    this.prose.replaceWith(form);
    this.foot.hidden = true;
    field.style.height = `${Math.min(field.scrollHeight, 400)}px`;
    field.focus();
  }
}

class Answer {
  constructor(message, conversation, acts) {
    this.message = message;
    this.conversation = conversation;
    this.acts = acts;
    this.alternatives = new Alternatives(message, conversation, acts.onShow);
    this.calls = new Calls((results) => acts.onResults(message, results));
    this.prose = element("div", { className: "prose" });
    this.thinking = new Thinking();
    this.answerNow = element("button", { type: "button", className: "answer-now", hidden: true, onclick: () => this.#endThinking() }, "Answer now");
    this.probabilities = new Probabilities();
    this.state = element("div");
    this.root = element("article", { className: "message is-assistant", "aria-label": message.model || "Answer" },
      element("p", { className: "by" }, message.model), this.thinking.root, this.answerNow, this.prose, this.probabilities.root, this.calls.root, this.state);
    this.markdown = new Markdown(this.prose);
    this.timer = null;
    this.isRaw = false;
    this.#render();
  }

  /** Called at every event; renders at most every RENDER_EVERY_MS while the text grows. */
  show() {
    if (this.message.status !== "answering" || !this.hasStarted) {
      this.#render();
      return;
    }
    this.timer ??= setTimeout(() => this.#render(), RENDER_EVERY_MS);
  }

  showAlternatives() {
    this.alternatives.show();
  }

  #render() {
    clearTimeout(this.timer);
    this.timer = null;
    const { content, reasoning, status } = this.message;
    const isFinal = status !== "answering";
    this.hasStarted = Boolean(content || reasoning || this.message.calls.length);
    this.root.setAttribute("aria-busy", String(!isFinal));
    this.root.dataset.status = isFinal ? status : this.hasStarted ? "streaming" : "waiting";
    this.thinking.show(this.message);
    this.#renderAnswerNow(isFinal);
    this.#renderProse(content, isFinal);
    this.calls.show(this.message.calls, isFinal);
    this.#renderState();
    this.alternatives.show();
    this.root.dispatchEvent(new Event("rendered", { bubbles: true }));
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
    else this.state.replaceChildren(...this.#error(), ...this.#replayed(), this.#foot());
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
    return [element("div", { className: "error", role: "alert" }, error, again)];
  }

  #replayed() {
    const original = this.conversation.known.get(this.message.replayOf);
    return original ? [differenceView(original.content, this.message.content)] : [];
  }

  #foot() {
    const { content, error, tokens, made } = this.message;
    const copy = content ? [copyButton(() => this.message.content, "Copy answer"), button("raw", "Show raw text", () => this.#toggleRaw())] : [];
    const again = error ? [] : [button("again", "Regenerate", () => this.acts.onRegenerate(this.message))];
    const replay = made && !error ? [button("replay", "Replay with the same seed", () => this.acts.onReplay(this.message))] : [];
    const likely = tokens?.length ? [button("bars", "Token probabilities", () => this.#toggleProbabilities())] : [];
    return element("div", { className: "foot" }, this.alternatives.root, ...copy, ...again, ...replay, ...likely, figuresLine(this.message), ...(made ? [detailsView(this.message)] : []));
  }

  #toggleRaw() {
    this.isRaw = !this.isRaw;
    this.prose.replaceChildren();
    this.markdown = new Markdown(this.prose);
    this.#render();
  }

  #toggleProbabilities() {
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
    case "queued": return { text: waiting.done > 1 ? `Queued: ${count(waiting.done - 1)} before you…` : "Queued…", share: null };
    case "loading": return { text: `Loading ${model}…${share === null ? "" : ` ${Math.round(share * 100)} %`}`, share };
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

function figuresLine({ status, figures }) {
  const line = element("span", { className: "figures" });
  if (status === "stopped") line.append("stopped");
  if (!figures) return line;
  const parts = [`${count(figures.tokens)} ${figures.tokens === 1 ? "token" : "tokens"}`];
  if (figures.per_second) parts.push(`${rate(figures.per_second)} tokens/s`);
  if (figures.first_token_s !== null) parts.push(`first token after ${seconds(figures.first_token_s)}`);
  if (figures.cached_tokens) parts.push(`${count(figures.cached_tokens)} of ${count(figures.prompt_tokens)} cached`);
  line.append(parts.join(" · "));
  line.title = `The prompt had ${count(figures.prompt_tokens)} tokens.`;
  if (figures.reason === "length") line.append(" · ", element("strong", {}, "stopped at the length limit"));
  return line;
}
