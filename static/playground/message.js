/** One message on the page. */
import { Calls } from "./calls.js";
import { copyButton } from "./clipboard.js";
import { element, icon } from "./element.js";
import { count, rate, seconds } from "./format.js";
import { Markdown } from "./markdown.js";

const RENDER_EVERY_MS = 100; // Markdown on every token would take the whole main thread

/**
 * @param {import("./conversation.js").Message} message
 * @param {{onAgain: () => void, onResults: (message: object) => void}} acts
 * @returns {{root: HTMLElement, show(): void}}
 */
export function messageView(message, acts) {
  return message.role === "user" ? new Question(message) : new Answer(message, acts);
}

class Question {
  constructor(message) {
    this.root = element("article", { className: "message is-user", "aria-label": "You" }, element("div", { className: "words" }, message.content));
  }

  show() {}
}

class Answer {
  constructor(message, { onAgain, onResults }) {
    this.message = message;
    this.onAgain = onAgain;
    this.calls = new Calls(() => onResults(message));
    this.words = element("div", { className: "words" });
    this.thoughts = element("div", { className: "words" });
    this.reasoning = element("details", { className: "reasoning", hidden: true }, element("summary", {}, "Thoughts"), this.thoughts);
    this.state = element("div");
    this.root = element("article", { className: "message is-assistant", "aria-label": message.model ?? "Answer" },
      element("p", { className: "by" }, message.model ?? ""), this.reasoning, this.words, this.calls.root, this.state);
    this.markdown = new Markdown(this.words);
    this.markdownOfThoughts = new Markdown(this.thoughts);
    this.timer = null;
    this.#render();
  }

  /** Called at every event; renders at most every RENDER_EVERY_MS while the text grows. */
  show() {
    if (this.message.status !== "streaming") {
      this.#render();
      return;
    }
    this.timer ??= setTimeout(() => this.#render(), RENDER_EVERY_MS);
  }

  #render() {
    clearTimeout(this.timer);
    this.timer = null;
    const { status, content, reasoning } = this.message;
    const isFinal = status !== "streaming" && status !== "waiting";
    this.root.setAttribute("aria-busy", String(!isFinal));
    this.root.dataset.status = status;
    this.reasoning.hidden = !reasoning;
    if (reasoning) this.markdownOfThoughts.show(reasoning, isFinal);
    this.markdown.show(content, isFinal);
    this.calls.show(this.message.calls ?? [], isFinal);
    this.#renderState();
    this.root.dispatchEvent(new Event("rendered", { bubbles: true }));
  }

  #renderState() {
    const { status } = this.message;
    if (status === "streaming") this.state.replaceChildren();
    else if (status === "waiting") this.#renderWaiting();
    else this.state.replaceChildren(...this.#error(), this.#foot());
  }

  /** The words and the bar are kept and changed, so that the bar glides and the dot breathes on. */
  #renderWaiting() {
    const { words, share } = waitingWords(this.message);
    this.waiting ??= new Waiting();
    if (!this.waiting.root.isConnected) this.state.replaceChildren(this.waiting.root);
    this.waiting.show(words, share);
  }

  #error() {
    const { error } = this.message;
    if (!error) return [];
    const again = element("button", { type: "button", onclick: this.onAgain, className: "only-last" }, "Try again");
    return [element("div", { className: "error", role: "alert" }, error, again)];
  }

  #foot() {
    const { content, error } = this.message;
    const again = element("button", { type: "button", className: "mini only-last", onclick: this.onAgain, title: "Answer again", "aria-label": "Answer again" }, icon("again"));
    const copy = content ? [copyButton(() => this.message.content, "Copy answer")] : [];
    return element("div", { className: "foot" }, ...copy, ...(error ? [] : [again]), figuresLine(this.message));
  }
}

class Waiting {
  constructor() {
    this.text = element("span");
    this.bar = element("progress", { max: 1, "aria-label": "Progress" });
    this.root = element("div", { className: "waiting" }, element("span", { className: "pulse" }), this.text, this.bar);
  }

  show(words, share) {
    this.text.textContent = words;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
  }
}

/** @param {import("./conversation.js").Message} message @returns {{words: string, share: number | null}} */
export function waitingWords({ waiting, model }) {
  const share = waiting?.total ? waiting.done / waiting.total : null;
  switch (waiting?.phase) {
    case "queued": return { words: "Waiting for a free place…", share };
    case "loading": return { words: `Loading ${model}…${share === null ? "" : ` ${Math.round(share * 100)} %`}`, share };
    case "prefill": return { words: `Reading your prompt…${share === null ? "" : ` ${count(waiting.done)} of ${count(waiting.total)} tokens`}`, share };
    default: return { words: "Asking…", share: null };
  }
}

function figuresLine({ status, figures }) {
  const line = element("span", { className: "figures" });
  if (status === "stopped") line.append("stopped");
  if (!figures) return line;
  const { tokens, promptTokens, perSecond, firstTokenS, reason } = figures;
  const parts = [`${count(tokens)} ${tokens === 1 ? "token" : "tokens"}`];
  if (perSecond) parts.push(`${rate(perSecond)} tokens/s`);
  if (firstTokenS !== null) parts.push(`first after ${seconds(firstTokenS)}`);
  line.append(parts.join(" · "));
  line.title = `The prompt had ${count(promptTokens)} tokens.`;
  if (reason === "length") line.append(" · ", element("strong", {}, "cut at the length limit"));
  return line;
}
