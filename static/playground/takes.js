/** Arrows between the takes of one turn: nothing that was said is overwritten. */
import { element, icon } from "./element.js";

export class Takes {
  /**
   * @param {import("./conversation.js").Message} message
   * @param {import("./conversation.js").Conversation} conversation
   * @param {(tip: number) => void} onShow
   */
  constructor(message, conversation, onShow) {
    this.message = message;
    this.conversation = conversation;
    this.onShow = onShow;
    this.back = this.#arrow("back", "Earlier take", -1);
    this.on = this.#arrow("on", "Later take", 1);
    this.place = element("span", { className: "takes-place" });
    this.beside = element("button", { type: "button", className: "mini", title: "Side by side", "aria-label": "Side by side", onclick: () => this.#compare() }, icon("beside"));
    this.root = element("span", { className: "takes", hidden: true }, this.back, this.place, this.on, this.beside);
    this.show();
  }

  show() {
    const takes = this.conversation.takes(this.message);
    const at = takes.indexOf(this.message);
    this.root.hidden = takes.length < 2;
    this.place.textContent = `${at + 1} of ${takes.length}`;
    this.beside.hidden = this.message.role === "user";
    this.beside.setAttribute("aria-pressed", String(this.conversation.beside.has(this.message.parent)));
    this.back.disabled = at <= 0;
    this.on.disabled = at === takes.length - 1;
  }

  #compare() {
    const { parent } = this.message;
    this.conversation.compare(parent, !this.conversation.beside.has(parent));
  }

  #arrow(name, label, step) {
    const go = () => {
      const takes = this.conversation.takes(this.message);
      const other = takes[takes.indexOf(this.message) + step];
      if (other) this.onShow(this.conversation.newestEnd(other));
    };
    return element("button", { type: "button", className: "mini", title: label, "aria-label": label, onclick: go }, icon(name));
  }
}
