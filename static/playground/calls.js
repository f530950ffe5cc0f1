/** The tool calls of one answer, as cards: what is called, with what, and the result that the visitor types. */
import { drafts } from "./drafts.js";
import { element } from "./element.js";

/** @typedef {{id: string, name: string, arguments: string, result?: string}} Call */

export class Calls {
  /**
   * @param {(results: Record<string, string>) => Promise<boolean>} onResults returns whether the server has taken them
   * @param {number} message whose calls they are
   */
  constructor(onResults, message) {
    this.onResults = onResults;
    this.message = message;
    this.cards = element("div", { className: "cards" });
    this.send = element("button", { type: "submit", className: "firm" }, "Send results");
    this.root = element("form", { className: "calls", hidden: true }, this.cards, this.send);
    this.root.addEventListener("submit", (event) => this.#submit(event));
    /** @type {Card[]} */
    this.shown = [];
  }

  /** @param {Call[]} calls @param {boolean} isFinal whether the answer has ended */
  show(calls, isFinal) {
    this.root.hidden = calls.length === 0;
    for (const [place, call] of calls.entries()) {
      if (!this.shown[place]) {
        this.shown.push(new Card(call, `result.${this.message}.${place}`));
        this.cards.append(this.shown[place].root);
      }
      this.shown[place].show(call, isFinal);
    }
    this.send.hidden = !isFinal || calls.every((call) => call.result !== undefined);
  }

  /** The fields stay until the server has the results: it may refuse them, and they may be corrected. */
  async #submit(event) {
    event.preventDefault();
    if (this.send.disabled) return;
    this.#setSending(true);
    await this.onResults(Object.assign({}, ...this.shown.map((card) => card.readResult())));
    this.#setSending(false);
  }

  #setSending(isSending) {
    this.send.disabled = isSending;
    for (const card of this.shown) card.result.readOnly = isSending;
  }
}

class Card {
  /** @param {Call} call @param {string} key of its result in drafts.js */
  constructor(call, key) {
    this.key = key;
    this.arguments = element("code");
    this.result = element("textarea", { rows: 2, value: drafts.read(key), oninput: () => drafts.write(key, this.result.value), placeholder: "Result of the function", "aria-label": `Result of ${call.name}` });
    this.given = element("pre", { className: "call-result", hidden: true });
    this.root = element("section", { className: "call", "aria-label": `Call of ${call.name}` },
      element("p", { className: "call-name" }, "Calls ", element("strong", {}, call.name)),
      element("pre", {}, this.arguments), this.result, this.given);
  }

  show(call, isFinal) {
    this.call = call;
    this.arguments.textContent = isFinal ? pretty(call.arguments) : call.arguments;
    this.result.hidden = !isFinal || call.result !== undefined;
    this.given.hidden = call.result === undefined;
    this.given.textContent = call.result ?? "";
    if (call.result !== undefined && drafts.read(this.key)) drafts.clear(this.key);
  }

  /** The result that was typed, or that the server has already. */
  readResult() {
    return { [this.call.id]: this.call.result ?? this.result.value };
  }
}

/** Arguments that a length limit cut short are shown as they are. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
