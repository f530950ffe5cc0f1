/** What a model thought before it answered: folded, with how long it took and, while it thinks, its last line. */
import { element } from "./element.js";
import { Markdown } from "./markdown.js";

const LINE_LENGTH = 200;

export class Thinking {
  constructor() {
    this.label = element("summary", {}, "Thoughts");
    this.thoughts = element("div", { className: "prose" });
    this.lastWords = element("span");
    this.lastLine = element("p", { className: "last-thought", hidden: true }, this.lastWords);
    this.details = element("details", { className: "reasoning" }, this.label, this.thoughts);
    this.root = element("div", { className: "thinking", hidden: true }, this.details, this.lastLine);
    this.markdown = new Markdown(this.thoughts);
    this.details.addEventListener("toggle", () => this.#showLastLine());
  }

  /** @param {import("./conversation.js").Message} message */
  show(message) {
    const isFinal = message.status !== "answering";
    this.message = message;
    this.isThinking = !isFinal && Boolean(message.thinking);
    this.root.hidden = !message.reasoning;
    this.root.classList.toggle("is-thinking", this.isThinking);
    if (message.reasoning) this.markdown.show(message.reasoning, isFinal);
    this.#showTime();
    this.#showLastLine();
    this.#tick();
  }

  /** The label counts the seconds also while no text comes. */
  #tick() {
    clearInterval(this.timer);
    if (this.isThinking) this.timer = setInterval(() => (this.root.isConnected ? this.#showTime() : clearInterval(this.timer)), 1000);
  }

  #showTime() {
    const text = this.isThinking ? `Thinking… ${duration(thoughtSeconds(this.message))}` : pastLabel(thoughtSeconds(this.message));
    if (this.label.textContent !== text) this.label.textContent = text;
  }

  #showLastLine() {
    this.lastLine.hidden = !this.isThinking || this.details.open;
    if (this.lastLine.hidden) return;
    this.lastWords.textContent = lastLineOf(this.message.reasoning);
    this.lastLine.classList.toggle("is-long", this.lastWords.offsetWidth > this.lastLine.clientWidth);
  }
}

/** Seconds of thinking so far: what the server has measured, and the time that has passed here since it said so. */
function thoughtSeconds({ figures, thinking, thought_s: known = 0, thoughtAt }) {
  if (figures?.thought_s) return figures.thought_s;
  return known + (thinking && thoughtAt ? (performance.now() - thoughtAt) / 1000 : 0);
}

const pastLabel = (s) => (s ? `Thought for ${duration(s)}` : "Thoughts");

/** @param {number} s @returns {string} whole seconds and minutes, as "12 s" or "1 min 5 s" */
function duration(s) {
  const whole = Math.max(1, Math.round(s));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

function lastLineOf(text) {
  const line = text.trimEnd().split("\n").at(-1).replace(/[*_`#>]+/g, "").trim();
  return line.slice(-LINE_LENGTH); // its end is what is shown
}
