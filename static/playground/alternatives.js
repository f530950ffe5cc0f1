/** Arrows between the alternatives of a message: editing and regenerating overwrite nothing. */
import { element, icon } from "./element.js";

export class Alternatives {
  /**
   * @param {import("./conversation.js").Message} message
   * @param {import("./conversation.js").Conversation} conversation
   * @param {(tip: number) => void} onShow
   */
  constructor(message, conversation, onShow) {
    this.message = message;
    this.conversation = conversation;
    this.onShow = onShow;
    this.back = this.#arrow("back", "Previous version", -1);
    this.on = this.#arrow("on", "Next version", 1);
    this.position = element("span", { className: "takes-place" });
    this.beside = element("button", { type: "button", className: "mini", title: "Side by side", "aria-label": "Side by side", onclick: () => this.#compare() }, icon("beside"));
    this.root = element("span", { className: "takes", hidden: true }, this.back, this.position, this.on, this.beside);
    this.show();
  }

  show() {
    const alternatives = this.conversation.alternatives(this.message);
    const at = alternatives.indexOf(this.message);
    this.root.hidden = alternatives.length < 2;
    this.position.textContent = `${at + 1} of ${alternatives.length}`;
    this.beside.hidden = this.message.role === "user" || this.conversation.answersBeside(this.message).length < 2;
    this.beside.setAttribute("aria-pressed", String(this.conversation.compared.has(this.message.parent)));
    this.back.disabled = at <= 0;
    this.on.disabled = at === alternatives.length - 1;
  }

  #compare() {
    const { parent } = this.message;
    this.conversation.compare(parent, !this.conversation.compared.has(parent));
  }

  #arrow(name, label, step) {
    const go = () => {
      const alternatives = this.conversation.alternatives(this.message);
      const other = alternatives[alternatives.indexOf(this.message) + step];
      if (other) this.onShow(this.conversation.newestTip(other));
    };
    return element("button", { type: "button", className: "mini", title: label, "aria-label": label, onclick: go }, icon(name));
  }
}
