/** The field that the visitor writes in. Each chat has a text of its own, kept by drafts.js. */
import { drafts } from "./drafts.js";

export const NEW_CHAT = "new";

export class Composer {
  /**
   * @param {{onSend: (text: string) => Promise<boolean>, onStop: () => void, onType: (text: string) => void,
   *   onUp: () => void, onEarly: () => void, onEmpty: () => void}} actions `onEarly`: a question was sent off before the
   *   answer has ended; `onEmpty`: it has no words
   */
  constructor({ onSend, onStop, onType, onUp, onEarly, onEmpty }) {
    Object.assign(this, { onSend, onStop, onType, onUp, onEarly, onEmpty });
    this.form = document.querySelector("#composer");
    this.prompt = document.querySelector("#prompt");
    this.button = document.querySelector("#send");
    this.isAnswering = false;
    this.canAnswer = true;
    this.key = NEW_CHAT;
    this.isTypedHere = false; // and not only taken over from another window
    /** @type {{text: string} | null} what the server has not answered for yet, of the chat that is open */
    this.sending = null;
    this.failed = ""; // the text in the field, whose sending has failed
    this.form.addEventListener("submit", (event) => { event.preventDefault(); this.#submit(); });
    this.prompt.addEventListener("input", () => this.typed());
    this.prompt.addEventListener("keydown", (event) => { this.#sendOnEnter(event); this.#editOnUp(event); });
    drafts.addEventListener("change", ({ detail }) => this.#adopt(detail));
    this.#show();
  }

  /** Show the text of a chat, which may still be loaded. @param {string} key its id, or NEW_CHAT */
  open(key) {
    this.key = key;
    this.prompt.value = drafts.read(key);
    this.isTypedHere = drafts.isOwn(key);
    this.sending = null;
    this.failed = "";
    this.onType(this.prompt.value);
    this.#show();
  }

  /** The chat is loaded, and this is its last question: a text that was being sent when the page ended may have arrived. */
  loaded(key, last) {
    if (key !== this.key || !drafts.isSent(key) || this.sending || this.prompt.value.trim() !== last?.trim()) return;
    drafts.clear(key);
    this.prompt.value = "";
    this.onType("");
    this.#show();
  }

  /** The new chat that is open has got its id. */
  rename(key) {
    if (this.key === key) return;
    drafts.clear(this.key);
    this.key = key;
    if (this.prompt.value) drafts.write(key, this.prompt.value);
  }

  /** @param {{isAnswering: boolean, canAnswer: boolean}} state */
  setState({ isAnswering, canAnswer }) {
    Object.assign(this, { isAnswering, canAnswer });
    this.#show();
  }

  focus() {
    this.prompt.focus();
  }

  #submit() {
    if (this.isAnswering) this.onStop();
    else this.#send();
  }

  /** The content of the field has changed. */
  typed() {
    this.isTypedHere = Boolean(this.prompt.value);
    drafts.write(this.key, joined(this.sending?.text, this.prompt.value), Boolean(this.sending));
    this.onType(this.prompt.value);
    this.#show();
  }

  /** The text leaves the field, and is kept until the server has taken it; otherwise it comes back. */
  async #send() {
    const text = this.prompt.value.trim();
    if (!text || !this.canAnswer || this.sending) return;
    const { key } = this;
    const sending = { text };
    this.sending = sending;
    this.prompt.value = "";
    this.typed();
    drafts.flush();
    const isTaken = await this.onSend(text);
    if (this.sending === sending) this.#settle(isTaken);
    else if (isTaken) this.#forget(key, text);
  }

  /** The server has taken a text, and another chat was opened meanwhile: what was typed after it stays. */
  #forget(key, text) {
    const kept = drafts.read(key);
    const rest = kept === text ? "" : withoutStart(kept, text);
    if (rest !== kept) drafts.write(key, rest);
    if (this.key === key && this.prompt.value === kept) this.prompt.value = rest;
    drafts.flush();
    this.#show();
  }

  #settle(isTaken) {
    const { text } = this.sending;
    this.failed = isTaken ? "" : text;
    this.prompt.value = joined(isTaken ? "" : text, this.prompt.value);
    this.sending = null;
    this.typed();
    drafts.flush();
  }

  /** The chat has this last question now: a text whose response was lost had arrived. @param {string} [last] */
  settleWith(last) {
    if (!this.failed || this.failed !== last || this.prompt.value !== last) return;
    this.failed = this.prompt.value = "";
    this.typed();
    drafts.flush();
  }

  /** Another window has changed this chat's text: what was typed here stays, unless the other goes on from it. */
  #adopt({ key, text, before }) {
    if (key !== this.key || this.sending) return;
    const goesOn = this.prompt.value === before && (!text || text.startsWith(before));
    if (this.isTypedHere && !goesOn) {
      if (!text) drafts.write(key, this.prompt.value); // the other window has removed the common copy, too
      return;
    }
    this.prompt.value = text;
    drafts.takeOver(key, text);
    this.onType(text);
    this.#show();
  }

  #editOnUp(event) {
    if (event.key !== "ArrowUp" || this.prompt.value) return;
    event.preventDefault();
    this.onUp();
  }

  #sendOnEnter(event) {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    if (!this.isAnswering && !this.prompt.value.trim()) this.onEmpty();
    else if (!this.isAnswering) this.#send();
    else if (this.prompt.value.trim()) this.onEarly();
  }

  #show() {
    const label = this.isAnswering ? "Stop" : "Send";
    this.form.classList.toggle("is-answering", this.isAnswering);
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    this.button.disabled = !this.isAnswering && (!this.canAnswer || !this.prompt.value.trim());
    this.prompt.style.height = "auto";
    this.prompt.style.height = `${this.prompt.scrollHeight}px`;
  }
}

const BETWEEN = "\n\n";
const joined = (...texts) => texts.filter((text) => text).join(BETWEEN);
const withoutStart = (text, start) => (text.startsWith(start + BETWEEN) ? text.slice((start + BETWEEN).length) : text);
