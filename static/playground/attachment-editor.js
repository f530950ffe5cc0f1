/** The files of a question that is edited: those that it has can be taken away, and others added, before it is sent again. */
import { account } from "./account.js";
import { Attachment, MOST_FILES, tellNotSent } from "./attachment.js";
import { element, icon } from "./element.js";
import { acceptPastes } from "./file-input.js";
import { bytes } from "./format.js";
import { isPicture, thumbnail } from "./pictures.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

/** @typedef {import("./attachment.js").Added} Added @typedef {{left: string[], added: Added[]}} Kept */

export class AttachmentEditor {
  /**
   * @param {{key: string, attachments: (Added & {address: string})[], limits: import("./attachment.js").Limits, field: HTMLTextAreaElement, onChange: () => void}} options
   *   `attachments` are the question's own, and what is chosen is kept by `key`
   */
  constructor({ key, attachments, limits, field, onChange }) {
    Object.assign(this, { attachments, limits, field, onChange });
    this.key = `edit-files.${account.id}.${key}`;
    const kept = store.read(this.key);
    this.left = attachments.filter(({ id }) => !kept || kept.left.includes(id));
    /** @type {Attachment[]} */
    this.added = (kept?.added ?? []).map((one) => this.#attachment(one, one));
    this.list = element("ul", { className: "chips", "aria-label": "Files of the edited question" });
    const input = element("input", { type: "file", multiple: true, hidden: true, "aria-label": "More files" });
    input.addEventListener("change", () => { this.add([...input.files]); input.value = ""; });
    const button = element("button", { type: "button", className: "mini attach-more", onclick: () => input.click() }, icon("clip"), "Attach files");
    this.parts = [this.list, input];
    this.button = button;
    acceptPastes(field, (files) => this.add(files));
    this.#show();
  }

  /** @returns {boolean} whether they are others than the question's */
  get isChanged() {
    return this.left.length < this.attachments.length || this.added.some(({ added }) => added);
  }

  /** @param {File[]} files */
  add(files) {
    for (const file of files) {
      if (this.left.length + this.added.length >= MOST_FILES) {
        toast(`A question takes at most ${MOST_FILES} files.`);
        break;
      }
      const attachment = this.#attachment({ name: file.name || "Pasted file", size: file.size });
      this.added.push(attachment);
      attachment.reading = attachment.read(file, this.limits);
    }
    this.#change();
  }

  /** @returns {Promise<string[]>} the ids of those that are to be sent, once all are read */
  async ids() {
    await Promise.all(this.added.map(({ reading }) => reading));
    return [...this.left.map(({ id }) => id), ...this.added.filter(({ added }) => added).map(({ added }) => added.id)];
  }

  /** The question was sent. */
  sent() {
    tellNotSent(this.added);
    store.removeText(this.key);
  }

  /** @returns {() => void} brings back what was chosen */
  discard() {
    const kept = this.#kept();
    store.removeText(this.key);
    return () => store.write(this.key, kept);
  }

  /** @returns {Kept} */
  #kept() {
    return { left: this.left.map(({ id }) => id), added: this.added.filter(({ added }) => added).map(({ added }) => added) };
  }

  /** @param {{name: string, size: number}} facts @param {Added} [read] what the server has of it */
  #attachment(facts, read) {
    const attachment = new Attachment(facts, (one) => {
      one.forget();
      this.added = this.added.filter((other) => other !== one);
      this.#change();
      this.field.focus();
    });
    if (read) attachment.take(read);
    attachment.addEventListener("change", () => this.#change());
    return attachment;
  }

  #remove(one) {
    this.left = this.left.filter((other) => other !== one);
    this.#change();
    this.field.focus();
  }

  #change() {
    store.write(this.key, this.#kept());
    this.#show();
    this.onChange();
  }

  #show() {
    this.list.hidden = !this.left.length && !this.added.length;
    this.list.replaceChildren(...this.left.map((one) => chip(one, () => this.#remove(one))), ...this.added.map(({ root }) => root));
  }
}

function chip(file, onRemove) {
  const { name, size } = file;
  const remove = element("button", { type: "button", className: "chip-remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: onRemove }, icon("close"));
  return element("li", { className: "chip" }, isPicture(file) ? thumbnail([file], 0) : icon("file"), element("span", { className: "chip-text" },
    element("span", { className: "chip-name" }, name), element("span", { className: "chip-facts" }, bytes(size))), remove);
}
