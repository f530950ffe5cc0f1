/** One file that is added to a question: read by the server, and shown as a chip until it is sent. */
import { call } from "./api.js";
import { element, icon } from "./element.js";
import { bytes, count } from "./format.js";
import { toast } from "./toast.js";

export const MOST_FILES = 20; // of one question
export const CHARACTERS_PER_TOKEN = 4; // of a model that is not loaded, roughly

/** @typedef {{id: string, name: string, size: number, characters: number}} Added */

/** Fires "change" when it has been read, could not be read, or its tokens are counted. */
export class Attachment extends EventTarget {
  /** @param {{name: string, size: number}} file @param {(attachment: Attachment) => void} onRemove */
  constructor({ name, size }, onRemove) {
    super();
    Object.assign(this, { name, size });
    /** @type {Added | null} once the server has read it */
    this.added = null;
    this.problem = "";
    /** @type {number | null} by the model's tokenizer */
    this.tokens = null;
    this.title = element("span", { className: "chip-name" }, name);
    this.facts = element("span", { className: "chip-facts" });
    const remove = element("button", { type: "button", className: "chip-remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: () => onRemove(this) }, icon("close"));
    this.root = element("li", { className: "chip" }, icon("file"), element("span", { className: "chip-text" }, this.title, this.facts), remove);
    this.#show();
  }

  /** @returns {number} its tokens, or about as many */
  get estimate() {
    return this.tokens ?? Math.ceil((this.added?.characters ?? 0) / CHARACTERS_PER_TOKEN);
  }

  /** Have the server read it. @param {File} file @param {number} limit the most bytes */
  async read(file, limit) {
    if (file.size > limit) return this.fail(`It is larger than ${bytes(limit)}, the largest file that can be attached.`);
    if (!file.size) return this.fail("It is empty.");
    try {
      return this.take(await call("POST", `/chat/attachments/?${new URLSearchParams({ name: this.name })}`, file));
    } catch (error) {
      return this.fail(error.code ? error.message : "It could not be read; a folder cannot be attached.");
    }
  }

  /** @param {Added} added */
  take(added) {
    this.added = added;
    this.#show();
  }

  fail(problem) {
    this.problem = problem;
    this.#show();
  }

  /** Count its tokens by this model's tokenizer, if it is loaded. @param {string} model @returns {Promise<boolean>} false when the file is gone */
  async count(model) {
    if (!this.added) return true;
    try {
      const { tokens } = await call("GET", `/chat/attachments/${this.added.id}/tokens/?${new URLSearchParams({ model })}`);
      this.tokens = tokens;
      this.#show();
      return true;
    } catch (error) {
      return error.status !== 404;
    }
  }

  /** Delete what the server has of it. */
  forget() {
    if (this.added) call("DELETE", `/chat/attachments/${this.added.id}/`).catch(() => {});
  }

  #show() {
    this.root.classList.toggle("is-wrong", Boolean(this.problem));
    this.root.setAttribute("aria-busy", String(!this.added && !this.problem));
    if (this.problem) this.facts.replaceChildren(element("span", { role: "alert" }, `It will not be sent. ${this.problem}`));
    else this.facts.textContent = this.added ? `${bytes(this.size)} · ${this.tokens === null ? "about " : ""}${count(this.estimate)} tokens` : `${bytes(this.size)} · reading…`;
    if (this.added && !this.title.href) {
      const link = element("a", { className: "chip-name", href: `/chat/attachments/${this.added.id}/`, target: "_blank", rel: "noopener", title: `Open the text of ${this.name}` }, this.name);
      this.title.replaceWith(link);
      this.title = link;
    }
    this.dispatchEvent(new Event("change"));
  }
}

/** A question went without the files that could not be read: say so, and why. @param {Attachment[]} attachments */
export function tellNotSent(attachments) {
  for (const { name, problem } of attachments) if (problem) toast(`The question was sent without ${name}. ${problem}`);
}
