/** A message's text as a form. It closes once the server has taken the text, and keeps it until then. */
import { AttachmentEditor } from "./attachment-editor.js";
import { drafts } from "./drafts.js";
import { element } from "./element.js";
import { toast } from "./toast.js";

const MAX_HEIGHT_PX = 400;

/** @type {Map<string, Promise<boolean>>} texts that the server has not answered for yet; their chat may be opened again meanwhile */
const underway = new Map();

export class EditForm {
  /**
   * @param {{key: string, text: string, label: string, sendLabel?: string, attachments?: (import("./attachment.js").Added & {address: string})[], limits: import("./attachment.js").Limits,
   *   onSend: (text: string, attachments: string[]) => Promise<boolean>, onClose: () => void}} options `key` names the text
   *   in drafts.js; `onSend` returns whether the server has taken text and files
   */
  constructor({ key, text, label, sendLabel = "Send", attachments = [], limits, onSend, onClose }) {
    Object.assign(this, { key, text, onSend, onClose });
    this.field = element("textarea", { value: drafts.read(key) || text, dir: "auto", "aria-label": label });
    this.problem = element("p", { className: "edit-problem", role: "alert" });
    this.submit = element("button", { type: "submit", className: "firm" }, sendLabel);
    this.cancel = element("button", { type: "button", className: "plain", onclick: () => this.#discard() }, "Cancel");
    this.files = new AttachmentEditor({ key, attachments, limits, field: this.field, onChange: () => drafts.write(this.key, this.field.value) });
    this.opener = document.activeElement;
    this.root = element("form", { className: "edit takes-files" }, ...this.files.parts, this.field, this.problem, element("div", { className: "edit-row" }, this.files.button, this.cancel, this.submit));
    this.root.addEventListener("files", ({ detail }) => this.files.add(detail));
    this.root.addEventListener("submit", (event) => { event.preventDefault(); this.#send(); });
    this.field.addEventListener("input", () => { drafts.write(this.key, this.field.value); this.#grow(); });
    this.field.addEventListener("keydown", (event) => this.#press(event));
    if (underway.has(key)) this.#settle(underway.get(key));
  }

  /** Call it once the form is on the page. */
  focus() {
    this.#grow();
    this.field.focus();
  }

  async #send() {
    const text = this.field.value.trim();
    if (this.isSending) return;
    if (!text) {
      this.problem.textContent = "Write a question, or cancel.";
      return;
    }
    const sending = this.files.ids().then((ids) => this.onSend(text, ids));
    underway.set(this.key, sending);
    await this.#settle(sending);
    underway.delete(this.key);
  }

  /** @param {Promise<boolean>} sending */
  async #settle(sending) {
    this.#setSending(true);
    const isTaken = await sending;
    this.#setSending(false);
    if (isTaken) this.#sent();
    else this.problem.textContent = "This was not sent. Your text is kept here.";
  }

  #sent() {
    this.files.sent();
    this.#close();
  }

  #setSending(isSending) {
    this.isSending = isSending;
    this.field.readOnly = this.submit.disabled = this.cancel.disabled = isSending;
    this.root.setAttribute("aria-busy", String(isSending));
    this.problem.textContent = "";
  }

  #discard() {
    if (this.isSending) return;
    const { key, field: { value } } = this;
    const isChanged = value.trim() !== this.text.trim() || this.files.isChanged;
    const bringBack = this.files.discard();
    this.#close();
    if (isChanged) toast("Your change was discarded.", { name: "Undo", act: () => { bringBack(); drafts.write(key, value); this.onReopen?.(); } });
  }

  /** The focus that the form had goes back to where it was before, or to the field of the next question. */
  #close() {
    drafts.clear(this.key);
    this.onClose();
    for (const place of [this.opener, document.querySelector("#prompt")]) if (document.activeElement === document.body) place?.focus();
  }

  #press(event) {
    if (event.key === "Escape") { event.stopPropagation(); this.#discard(); }
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); this.root.requestSubmit(); }
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight + 2, MAX_HEIGHT_PX)}px`;
  }
}
