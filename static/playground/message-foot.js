/** The row under a message: its versions, Copy, Regenerate, and a menu with everything else. */
import { copyButton } from "./clipboard.js";
import { isCut, isUnfinished, whyNotContinued } from "./continuable.js";
import { element, icon } from "./element.js";
import { count, rate, seconds } from "./format.js";
import { menuButton } from "./message-menu.js";

/** @param {{name: string}[]} entries @returns {HTMLButtonElement} */
const moreButton = (entries) => menuButton({ label: "More", className: "mini verbs" }, entries, icon("more"), "More");

/** @param {import("./message.js").Question} view @param {HTMLElement} answer a button for a question without an answer */
export function questionFoot({ message, acts, alternatives, edit }, answer) {
  const entries = () => [
    { name: "Edit", detail: "asks again, and this version stays", act: edit },
    { name: "Branch into a new chat", act: () => acts.onBranch(message) },
    { name: "Answer again", act: () => acts.onAnswerAgain(message) },
    ...acts.waysToDelete(message),
  ];
  const pen = () => element("button", { type: "button", className: "mini", title: "Edit question", "aria-label": "Edit question", onclick: edit }, icon("pen"));
  return element("div", { className: "foot" }, alternatives.root, copyButton(() => message.content, "Copy question"),
    ...(acts.isReadOnly ? [] : [pen(), moreButton(entries), answer]));
}

/** Kept for as long as its answer is: a button that is drawn anew would lose the focus. */
export class AnswerFoot {
  /** @param {import("./message.js").Answer} view */
  constructor(view) {
    this.view = view;
    const { message, acts } = view;
    this.copy = copyButton(() => message.content, "Copy answer");
    this.continue = element("button", { type: "button", className: "mini firm-mini", onclick: () => this.#continue() }, "Continue");
    this.again = element("button", { type: "button", className: "mini", "aria-label": "Regenerate", title: "Regenerate with the current settings", onclick: () => acts.onRegenerate(message) }, icon("again"), "Regenerate");
    this.ways = menuButton({ label: "Other model or settings", className: "mini ways" }, () => acts.waysToRegenerate(message), icon("chevron"));
    this.more = moreButton(() => this.#entries());
    this.figures = element("span", { className: "figures" });
    this.regenerate = element("span", { className: "split" }, this.again, this.ways);
    this.root = element("div", { className: "foot" }, view.alternatives.root, this.copy, this.regenerate, this.more, this.continue, this.figures);
  }

  show() {
    const { message, acts } = this.view;
    this.copy.hidden = !message.content;
    this.regenerate.hidden = acts.isWithoutQuestion(message);
    this.continue.hidden = !isUnfinished(message);
    this.figures.replaceChildren(...figures(message));
    this.figures.title = message.figures ? `The prompt had ${count(message.figures.prompt_tokens ?? 0)} tokens.` : "";
  }

  /** The row goes away while the answer grows, so the focus stays with the answer. */
  #continue() {
    this.view.root.tabIndex = -1;
    this.view.root.focus({ preventScroll: true });
    this.view.acts.onContinue(this.view.message);
  }

  #replay() {
    const { message, acts } = this.view;
    const reason = acts.isWithoutQuestion(message) ? "Its question was deleted." : acts.isServed(message.model) ? "" : `${message.model} is not on this server any more.`;
    return { name: "Replay with the same seed", isOff: Boolean(reason), detail: reason, act: () => acts.onReplay(message) };
  }

  #entries() {
    const { message, acts, isRaw, probabilities, details } = this.view;
    const { content, made, tokens, figures: measured } = message;
    const reason = whyNotContinued(message);
    const change = acts.isReadOnly ? [] : [
      { name: "Edit", isOff: !content, detail: content ? "" : "It has no text.", act: () => this.view.edit() },
      { name: "Continue", isOff: Boolean(reason), detail: reason, act: () => this.#continue() },
      { name: "Branch into a new chat", act: () => acts.onBranch(message) },
    ];
    const look = [
      { name: isRaw ? "Formatted text" : "Raw text", isOff: !content, act: () => this.view.toggleRaw() },
      ...(acts.isReadOnly || !made ? [] : [this.#replay()]),
      { name: probabilities.root.hidden ? "Token probabilities" : "Hide token probabilities", isOff: !tokens?.length,
        detail: tokens?.length ? "" : "No probabilities were saved. Switch them on in the settings.", act: () => this.view.toggleProbabilities() },
      { name: details.isShown ? "Hide details" : "Details", isOff: !made && !measured, act: () => this.view.toggleDetails() },
    ];
    return [...change, ...look, ...(acts.isReadOnly ? [] : acts.waysToDelete(message))];
  }
}

/** @returns {(Node | string)[]} how an answer ended, and its tokens and seconds */
function figures(message) {
  const { status, figures: measured, made } = message;
  const parts = status === "stopped" ? ["stopped"] : [];
  if (measured) {
    if (measured.tokens) parts.push(`${count(measured.tokens)} ${measured.tokens === 1 ? "token" : "tokens"}`);
    if (measured.per_second) parts.push(`${rate(measured.per_second)} tokens/s`);
    if (measured.first_token_s) parts.push(`first token after ${seconds(measured.first_token_s)}`);
    if (measured.cached_tokens) parts.push(`${count(measured.cached_tokens)} of ${count(measured.prompt_tokens)} cached`);
  }
  if (!isCut(message)) return [parts.join(" · ")];
  const limit = made?.max_tokens && !measured.continued ? ` of ${count(made.max_tokens)} tokens` : "";
  const why = whyNotContinued(message);
  return [parts.join(" · "), " · ", element("strong", {}, `stopped at the length limit${limit}`), why ? `. ${why}` : ""];
}
