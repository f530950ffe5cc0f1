/** One file that is added to a question: read by the server, and shown as a chip until it is sent. */
import { call } from "./api.js";
import { element, icon } from "./element.js";
import { bytes, count } from "./format.js";
import { isPicture, pixels, thumbnail, tokensOf } from "./pictures.js";
import { toast } from "./toast.js";

export const MOST_FILES = 20; // of one question
export const CHARACTERS_PER_TOKEN = 4; // of a model that is not loaded, roughly

/** @typedef {{id: string, name: string, size: number, characters?: number, media_type?: string, width?: number, height?: number}} Added a text or a picture */
/** @typedef {{file: number, picture: number}} Limits the most bytes of each */

/** Fires "change" when it has been read, could not be read, or its tokens are counted. */
export class Attachment extends EventTarget {
  #leave;

  /** @param {{name: string, size: number}} file @param {(attachment: Attachment) => void} onRemove */
  constructor({ name, size }, onRemove) {
    super();
    Object.assign(this, { name, size });
    /** @type {Added | null} once the server has read it */
    this.added = null;
    this.problem = "";
    /** @type {Promise<void>} until the server has read it */
    this.reading = Promise.resolve();
    const { promise, resolve } = Promise.withResolvers();
    this.removed = promise;
    this.#leave = resolve;
    /** @type {number | null} as the model counts them */
    this.tokens = null;
    /** @type {import("./models.js").Model | undefined} whose tokens they are */
    this.model = undefined;
    this.sign = icon("file");
    this.title = element("span", { className: "chip-name" }, name);
    this.facts = element("span", { className: "chip-facts" });
    const remove = element("button", { type: "button", className: "chip-remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: () => onRemove(this) }, icon("close"));
    this.root = element("li", { className: "chip" }, this.sign, element("span", { className: "chip-text" }, this.title, this.facts), remove);
    this.#show();
  }

  /** @returns {number} its tokens, or about as many */
  get estimate() {
    if (this.tokens !== null || !this.added) return this.tokens ?? 0;
    return isPicture(this.added) ? tokensOf(this.added, this.model) : Math.ceil(this.added.characters / CHARACTERS_PER_TOKEN);
  }

  /** Have the server read it. @param {File} file @param {Limits} limits @returns {Promise<void>} once that is done, or the file is removed */
  read(file, limits) {
    this.received = this.#receive(file, limits);
    return Promise.race([this.received, this.removed]);
  }

  async #receive(file, limits) {
    const kind = file.type.startsWith("image/") ? "picture" : "file";
    if (file.size > limits[kind]) return this.fail(`It is larger than ${bytes(limits[kind])}, the largest ${kind} that can be attached.`);
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

  /** Count its tokens as this model reads it, if it is loaded. @param {import("./models.js").Model} model @returns {Promise<boolean>} false when the file is gone */
  async count(model) {
    if (!this.added) return true;
    this.model = model;
    try {
      const { tokens } = await call("GET", `/chat/attachments/${this.added.id}/tokens/?${new URLSearchParams({ model: model.id })}`);
      if (this.model === model) this.tokens = tokens; // else another one is counting
      this.#show();
      return true;
    } catch (error) {
      return error.status !== 404;
    }
  }

  /** Delete what the server has of it, or will have once it has read it; nobody waits for that any more. */
  async forget() {
    this.#leave();
    await this.received;
    if (this.added) call("DELETE", `/chat/attachments/${this.added.id}/`).catch(() => {});
  }

  #show() {
    this.root.classList.toggle("is-wrong", Boolean(this.problem));
    this.root.setAttribute("aria-busy", String(!this.added && !this.problem));
    if (this.problem) this.facts.replaceChildren(element("span", { role: "alert" }, `It will not be sent. ${this.problem}`));
    else this.facts.textContent = this.added ? this.#facts() : `${bytes(this.size)} · reading…`;
    if (this.added) this.#showOpener();
    this.dispatchEvent(new Event("change"));
  }

  /** A model that does not see has no tokens for a picture. */
  #facts() {
    const tokens = this.estimate ? `${this.tokens === null ? "about " : ""}${count(this.estimate)} tokens` : "";
    return [isPicture(this.added) ? pixels(this.added) : "", bytes(this.size), tokens].filter(Boolean).join(" · ");
  }

  /** A picture's small view opens it, and a text's name does. */
  #showOpener() {
    if (isPicture(this.added) && this.sign.tagName !== "BUTTON") {
      const view = thumbnail([{ ...this.added, address: `/chat/attachments/${this.added.id}/` }], 0);
      this.sign.replaceWith(view);
      this.sign = view;
    } else if (!isPicture(this.added) && !this.title.href) {
      const link = element("a", { className: "chip-name", href: `/chat/attachments/${this.added.id}/`, target: "_blank", rel: "noopener", title: `Open the text of ${this.name}` }, this.name);
      this.title.replaceWith(link);
      this.title = link;
    }
  }
}

/** A question went without the files that could not be read: say so, and why. @param {Attachment[]} attachments */
export function tellNotSent(attachments) {
  for (const { name, problem } of attachments) if (problem) toast(`The question was sent without ${name}. ${problem}`);
}
