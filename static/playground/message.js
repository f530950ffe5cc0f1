/** One message on the page. */
import { Calls } from "./calls.js";
import { copyButton } from "./clipboard.js";
import { differenceView } from "./difference.js";
import { element, icon } from "./element.js";
import { count, rate, seconds } from "./format.js";
import { madeView } from "./made.js";
import { Markdown } from "./markdown.js";
import { Probabilities } from "./probabilities.js";
import { Takes } from "./takes.js";

const RENDER_EVERY_MS = 100; // Markdown on every token would take the whole main thread

/**
 * @typedef {{onAgain: (message: object) => void, onReplay: (message: object) => void, onShow: (tip: number) => void,
 *   onEdit: (message: object, words: string) => void, onResults: (message: object, results: object) => void}} Acts
 */

/**
 * @param {import("./conversation.js").Message} message
 * @param {import("./conversation.js").Conversation} conversation
 * @param {Acts} acts
 * @returns {{root: HTMLElement, message: object, show(): void, showTakes(): void}}
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
    this.takes = new Takes(message, conversation, acts.onShow);
    this.words = element("div", { className: "words" }, message.content);
    this.foot = element("div", { className: "foot" }, this.takes.root,
      copyButton(() => message.content, "Copy question"), button("pen", "Edit question", () => this.edit()));
    this.root = element("article", { className: "message is-user", "aria-label": "You" }, this.words, this.foot);
  }

  show() {}

  showTakes() {
    this.takes.show();
  }

  /** The words become a field; sending makes another take, and this one stays. */
  edit() {
    const field = element("textarea", { value: this.message.content, "aria-label": "Your question, changed" });
    const close = () => { form.replaceWith(this.words); this.foot.hidden = false; };
    const form = element("form", { className: "edit" }, field, element("div", { className: "edit-row" },
      element("button", { type: "button", className: "plain", onclick: close }, "Cancel"),
      element("button", { type: "submit", className: "firm" }, "Ask this")));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      close();
      if (field.value.trim()) this.acts.onEdit(this.message, field.value.trim());
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); close(); }
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
    });
    this.words.replaceWith(form);
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
    this.takes = new Takes(message, conversation, acts.onShow);
    this.calls = new Calls((results) => acts.onResults(message, results));
    this.words = element("div", { className: "words" });
    this.thoughts = element("div", { className: "words" });
    this.reasoning = element("details", { className: "reasoning", hidden: true }, element("summary", {}, "Thoughts"), this.thoughts);
    this.probabilities = new Probabilities();
    this.state = element("div");
    this.root = element("article", { className: "message is-assistant", "aria-label": message.model || "Answer" },
      element("p", { className: "by" }, message.model), this.reasoning, this.words, this.probabilities.root, this.calls.root, this.state);
    this.markdown = new Markdown(this.words);
    this.markdownOfThoughts = new Markdown(this.thoughts);
    this.timer = null;
    this.isRaw = false;
    this.#render();
  }

  /** Called at every event; renders at most every RENDER_EVERY_MS while the text grows. */
  show() {
    if (this.message.status !== "answering" || !this.wasSpeaking) {
      this.#render();
      return;
    }
    this.timer ??= setTimeout(() => this.#render(), RENDER_EVERY_MS);
  }

  showTakes() {
    this.takes.show();
  }

  #render() {
    clearTimeout(this.timer);
    this.timer = null;
    const { content, reasoning, status } = this.message;
    const isFinal = status !== "answering";
    this.wasSpeaking = Boolean(content || reasoning || this.message.calls.length);
    this.root.setAttribute("aria-busy", String(!isFinal));
    this.root.dataset.status = isFinal ? status : this.wasSpeaking ? "streaming" : "waiting";
    this.reasoning.hidden = !reasoning;
    if (reasoning) this.markdownOfThoughts.show(reasoning, isFinal);
    this.#renderWords(content, isFinal);
    this.calls.show(this.message.calls, isFinal);
    this.#renderState();
    this.takes.show();
    this.root.dispatchEvent(new Event("rendered", { bubbles: true }));
  }

  #renderWords(content, isFinal) {
    this.words.classList.toggle("is-raw", this.isRaw);
    if (this.isRaw) this.words.textContent = content;
    else this.markdown.show(content, isFinal);
  }

  #renderState() {
    if (this.root.dataset.status === "streaming") this.state.replaceChildren(liveLine(this.message));
    else if (this.root.dataset.status === "waiting") this.#renderWaiting();
    else this.state.replaceChildren(...this.#error(), ...this.#replayed(), this.#foot());
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
    const again = element("button", { type: "button", onclick: () => this.acts.onAgain(this.message) }, "Try again");
    return [element("div", { className: "error", role: "alert" }, error, again)];
  }

  #replayed() {
    const original = this.conversation.known.get(this.message.replayOf);
    return original ? [differenceView(original.content, this.message.content)] : [];
  }

  #foot() {
    const { content, error, tokens, made } = this.message;
    const copy = content ? [copyButton(() => this.message.content, "Copy answer"), button("raw", "As it was written", () => this.#toggleRaw())] : [];
    const again = error ? [] : [button("again", "Answer again", () => this.acts.onAgain(this.message))];
    const replay = made && !error ? [button("replay", "Replay with the same seed", () => this.acts.onReplay(this.message))] : [];
    const likely = tokens?.length ? [button("bars", "Token probabilities", () => this.#toggleProbabilities())] : [];
    return element("div", { className: "foot" }, this.takes.root, ...copy, ...again, ...replay, ...likely, figuresLine(this.message), ...(made ? [madeView(this.message)] : []));
  }

  #toggleRaw() {
    this.isRaw = !this.isRaw;
    this.words.replaceChildren();
    this.markdown = new Markdown(this.words);
    this.#render();
  }

  #toggleProbabilities() {
    const isShown = this.probabilities.root.hidden;
    this.probabilities.root.hidden = !isShown;
    this.words.hidden = isShown;
    if (isShown) this.probabilities.show(this.message.tokens);
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
    case "queued": return { words: waiting.done > 1 ? `Waiting: ${count(waiting.done - 1)} before you…` : "Waiting for a free place…", share: null };
    case "loading": return { words: `Loading ${model}…${share === null ? "" : ` ${Math.round(share * 100)} %`}`, share };
    case "prefill": return { words: `Reading your prompt…${share === null ? "" : ` ${count(waiting.done)} of ${count(waiting.total)} tokens`}${waiting.cached ? `, ${count(waiting.cached)} of them cached` : ""}`, share };
    default: return { words: "Asking…", share: null };
  }
}

/** How fast it comes, once there is something to divide by. */
function liveLine({ heard }) {
  const passedS = heard ? (heard.now - heard.since) / 1000 : 0;
  const words = passedS > 0.5 ? `${count(heard.tokens)} tokens · ${rate(heard.tokens / passedS)} tokens/s` : "";
  return element("p", { className: "live" }, words);
}

function figuresLine({ status, figures }) {
  const line = element("span", { className: "figures" });
  if (status === "stopped") line.append("stopped");
  if (!figures) return line;
  const parts = [`${count(figures.tokens)} ${figures.tokens === 1 ? "token" : "tokens"}`];
  if (figures.per_second) parts.push(`${rate(figures.per_second)} tokens/s`);
  if (figures.first_token_s !== null) parts.push(`first after ${seconds(figures.first_token_s)}`);
  if (figures.cached_tokens) parts.push(`${count(figures.cached_tokens)} of ${count(figures.prompt_tokens)} cached`);
  line.append(parts.join(" · "));
  line.title = `The prompt had ${count(figures.prompt_tokens)} tokens.`;
  if (figures.reason === "length") line.append(" · ", element("strong", {}, "cut at the length limit"));
  return line;
}
