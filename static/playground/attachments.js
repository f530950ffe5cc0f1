/** The files that are added to the question in the field; each chat has its own, which survive a reload. */
import { Attachment, MOST_FILES, tellNotSent } from "./attachment.js";
import { NEW_CHAT } from "./composer.js";
import { PREFIX, store } from "./store.js";
import { toast } from "./toast.js";

const KEY = "files.";

/** @typedef {{key: string, all: Attachment[], isSending: boolean}} Files of one chat, by its id or NEW_CHAT */

/** Fires "change" when files come, go, or are counted. */
export class Attachments extends EventTarget {
  /**
   * @param {import("./models.js").Models} models
   * @param {import("./attachment.js").Limits} limits
   */
  constructor(models, limits) {
    super();
    Object.assign(this, { models, limits });
    this.root = document.querySelector("#attachments");
    /** @type {Map<string, Files>} those that are shown, and those of other chats that are still read or sent */
    this.files = new Map();
    this.counted = "";
    /** @type {Files} */
    this.shown = this.#filesOf(NEW_CHAT);
    models.addEventListener("change", () => this.#recount());
    addEventListener("storage", ({ key }) => this.#adopt(key));
    this.#changed(this.shown);
  }

  /** @returns {Attachment[]} those of the chat that is open */
  get all() {
    return this.shown.all;
  }

  /** @returns {number} the tokens of all files, or about as many */
  get tokens() {
    return this.all.reduce((sum, one) => sum + one.estimate, 0);
  }

  get areCounted() {
    return this.all.every(({ added, tokens }) => !added || tokens !== null);
  }

  /** Show the files of a chat, which may still be loaded. @param {string} key its id, or NEW_CHAT */
  open(key) {
    const before = this.shown;
    if (before.key === key) return;
    this.shown = this.#filesOf(key);
    if (!isBusy(before)) this.files.delete(before.key); // other windows may change them
    this.#changed(this.shown);
    for (const attachment of this.all) this.#count(this.shown, attachment);
  }

  /** The new chat that is open has got its id. @param {string} key */
  rename(key) {
    const files = this.shown;
    if (files.key === key) return;
    store.removeText(KEY + files.key);
    this.files.delete(files.key);
    files.key = key;
    this.files.set(key, files);
    this.#changed(files);
  }

  /** @param {Iterable<File>} added */
  add(added) {
    const files = this.shown;
    for (const file of added) {
      if (files.all.length >= MOST_FILES) return toast(`A question takes at most ${MOST_FILES} files.`);
      const attachment = this.#attachment(files, { name: file.name || "Pasted file", size: file.size });
      this.#keep(files, [...files.all, attachment]);
      attachment.reading = this.#read(files, attachment, file);
    }
    return undefined;
  }

  async #read(files, attachment, file) {
    await attachment.read(file, this.limits);
    this.#keep(files);
    await this.#count(files, attachment);
  }

  /**
   * Send the files that could be read, with a question; they go from the field once the server has them.
   * @param {(ids: string[]) => Promise<boolean>} send
   */
  async send(send) {
    const files = this.shown;
    await Promise.all(files.all.map(({ reading }) => reading));
    this.#setSending(files, true);
    const sent = [...files.all];
    const isSent = await send(sent.filter(({ added }) => added).map(({ added }) => added.id));
    if (isSent) {
      tellNotSent(sent);
      this.#keep(files, files.all.filter((one) => !sent.includes(one)));
    }
    this.#setSending(files, false);
    return isSent;
  }

  #setSending(files, isSending) {
    files.isSending = isSending;
    this.#changed(files);
  }

  /** @returns {Files} */
  #filesOf(key) {
    if (!this.files.has(key)) {
      const files = { key, all: [], isSending: false };
      files.all = (store.read(KEY + key) ?? []).map((kept) => this.#attachment(files, kept, kept));
      this.files.set(key, files);
    }
    return this.files.get(key);
  }

  /** Another window has added or removed files of the chat that is open. */
  #adopt(name) {
    const files = this.shown;
    if (name !== PREFIX + KEY + files.key || files.isSending) return;
    const known = new Map(files.all.map((one) => [one.added?.id, one]));
    const kept = (store.read(KEY + files.key) ?? []).map((one) => known.get(one.id) ?? this.#attachment(files, one, one));
    files.all = [...kept, ...files.all.filter(({ added }) => !added)];
    this.#changed(files);
    for (const attachment of kept) if (attachment.tokens === null) this.#count(files, attachment);
  }

  /** @param {Files} files @param {{name: string, size: number}} facts @param {import("./attachment.js").Added} [read] what the server has of it */
  #attachment(files, facts, read) {
    const attachment = new Attachment(facts, (one) => this.#remove(files, one));
    if (read) attachment.take(read);
    attachment.addEventListener("change", () => this.#changed(files));
    return attachment;
  }

  #remove(files, attachment) {
    attachment.forget();
    this.#keep(files, files.all.filter((one) => one !== attachment));
    document.querySelector("#prompt").focus();
  }

  #keep(files, all = files.all) {
    files.all = all;
    const added = all.filter((one) => one.added).map((one) => one.added);
    if (added.length) store.write(KEY + files.key, added);
    else store.removeText(KEY + files.key);
    this.#changed(files);
  }

  #changed(files) {
    if (files !== this.shown) return;
    this.root.replaceChildren(...files.all.map(({ root }) => root));
    this.root.hidden = !files.all.length;
    this.root.inert = files.isSending;
    this.dispatchEvent(new Event("change"));
  }

  async #count(files, attachment) {
    const model = this.models.picked;
    const isThere = !attachment.added || !model || await attachment.count(model);
    if (!isThere && this.files.get(files.key) === files) this.#keep(files, files.all.filter((one) => one !== attachment)); // deleted meanwhile, or another account's
  }

  /** Another model counts otherwise, and one that was not loaded may count now. */
  #recount() {
    const { id, state } = this.models.picked ?? {};
    const counted = `${id} ${state === "ready" || state === "busy"}`;
    if (counted === this.counted) return;
    this.counted = counted;
    for (const attachment of this.all) this.#count(this.shown, attachment);
  }
}

const isBusy = ({ all, isSending }) => isSending || all.some(({ added, problem }) => !added && !problem);
