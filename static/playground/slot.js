/** A message's place in the thread. Until it comes near the screen, it is its plain text: quick to make, and found by a search in the page. */
import { element } from "./element.js";

const LINE_PX = 26;
const LINE_CHARACTERS = 80;
const AROUND_TEXT_PX = 70;
const MAX_PX = { user: 600, assistant: 4000 }; // long questions are folded

export class Slot {
  /**
   * @param {import("./conversation.js").Message} message
   * @param {() => ReturnType<typeof import("./message.js").messageView>} makeView
   */
  constructor(message, makeView) {
    this.message = message;
    this.makeView = makeView;
    this.view = null;
    this.root = placeholder(message);
  }

  get isDrawn() {
    return this.view !== null;
  }

  /** Replace the plain text by the message with all its parts. @returns {boolean} whether this was the first time */
  draw() {
    if (this.view) return false;
    this.view = this.makeView();
    this.root.replaceWith(this.view.root);
    this.root = this.view.root;
    this.root.style.containIntrinsicBlockSize = intrinsicSize(this.message);
    return true;
  }

  show() {
    if (this.view) this.view.show();
    else this.root.firstElementChild.textContent = textOf(this.message);
  }

  showAlternatives() {
    this.view?.showAlternatives();
  }

  /** Only once it is drawn. */
  edit() {
    this.view?.edit?.();
  }

  /** Skip the layout of a message that is far from the screen. @param {boolean} isFar */
  setFar(isFar) {
    this.root.classList.toggle("is-far", isFar);
  }
}

function placeholder(message) {
  const isUser = message.role === "user";
  const root = element("article", { className: `message is-far ${isUser ? "is-user" : "is-assistant"}`, "aria-label": isUser ? "You" : message.model || "Answer" },
    element("div", { className: "prose is-plain" }, textOf(message)));
  root.style.containIntrinsicBlockSize = intrinsicSize(message);
  return root;
}

const textOf = ({ content, reasoning }) => content || reasoning;

/** What the scroll bar takes for its height until it was laid out once. */
function intrinsicSize({ content, role }) {
  const px = AROUND_TEXT_PX + LINE_PX * Math.ceil(content.length / LINE_CHARACTERS);
  return `auto ${Math.min(px, MAX_PX[role])}px`;
}
