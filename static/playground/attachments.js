/** The files that are added to the question in the field; each chat has its own, which survive a reload. */
import { Attachment, MOST_FILES, tellNotSent } from "./attachment.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const KEY = "files.";
const NEW = "new";

/** Fires "change" when files come, go, or are counted. */
export class Attachments extends EventTarget {
  /**
   * @param {import("./conversation.js").Conversation} conversation
   * @param {import("./models.js").Models} models
   * @param {import("./attachment.js").Limits} limits
   */
  constructor(conversation, models, limits) {
    super();
    Object.assign(this, { conversation, models, limits });
    this.root = document.querySelector("#attachments");
    /** @type {Attachment[]} */
    this.all = [];
    this.key = "";
    this.counted = "";
    this.isSending = false;
    conversation.addEventListener("branch", () => this.#open());
    models.addEventListener("change", () => this.#recount());
    this.#open();
  }

  /** @returns {number} the tokens of all files, or about as many */
  get tokens() {
    return this.all.reduce((sum, one) => sum + one.estimate, 0);
  }

  get areCounted() {
    return this.all.every(({ added, tokens }) => !added || tokens !== null);
  }

  /** @param {Iterable<File>} files */
  add(files) {
    for (const file of files) {
      if (this.all.length >= MOST_FILES) return toast(`A question takes at most ${MOST_FILES} files.`);
      const attachment = this.#show(new Attachment({ name: file.name || "Pasted file", size: file.size }, (one) => this.#remove(one)));
      attachment.reading = attachment.read(file, this.limits).then(() => this.#count(attachment));
    }
    return undefined;
  }

  /**
   * Send the files that could be read, with a question; they go from the field once the server has them.
   * @param {(ids: string[]) => Promise<boolean>} send
   */
  async send(send) {
    this.isSending = true;
    const { key } = this;
    const sent = [...this.all];
    await Promise.all(sent.map(({ reading }) => reading));
    const isSent = await send(sent.filter(({ added }) => added).map(({ added }) => added.id));
    this.isSending = false;
    if (isSent) tellNotSent(sent);
    const rest = isSent ? this.all.filter((one) => !sent.includes(one)) : this.all;
    this.#keep(rest);
    if (isSent && key === NEW) this.#rename(rest);
    this.#open();
    return isSent;
  }

  /** The new chat has got its id: what was added while its first question was sent is now that chat's. */
  #rename(rest) {
    this.#keep([]);
    this.key = this.conversation.id ?? NEW;
    this.#keep(rest);
  }

  /** Show the files of the chat that is open. */
  #open() {
    const key = this.conversation.id ?? NEW;
    if (key === this.key || this.isSending) return;
    this.key = key;
    this.all = [];
    for (const kept of store.read(KEY + key) ?? []) {
      const attachment = this.#show(new Attachment(kept, (one) => this.#remove(one)));
      attachment.take(kept);
      this.#count(attachment);
    }
    this.#keep(this.all);
  }

  #show(attachment) {
    this.all.push(attachment);
    attachment.addEventListener("change", () => this.#keep(this.all));
    this.#keep(this.all);
    return attachment;
  }

  #remove(attachment) {
    attachment.forget();
    this.#keep(this.all.filter((one) => one !== attachment));
    document.querySelector("#prompt").focus();
  }

  #keep(all) {
    this.all = all;
    this.root.replaceChildren(...all.map(({ root }) => root));
    this.root.hidden = !all.length;
    const added = all.filter((one) => one.added).map((one) => one.added);
    if (added.length) store.write(KEY + this.key, added);
    else store.removeText(KEY + this.key);
    this.dispatchEvent(new Event("change"));
  }

  async #count(attachment) {
    const model = this.models.picked;
    const isThere = !attachment.added || !model || await attachment.count(model);
    if (!isThere) this.#keep(this.all.filter((one) => one !== attachment)); // deleted meanwhile, or another account's
  }

  /** Another model counts otherwise, and one that was not loaded may count now. */
  #recount() {
    const { id, state } = this.models.picked ?? {};
    const counted = `${id} ${state === "ready" || state === "busy"}`;
    if (counted === this.counted) return;
    this.counted = counted;
    for (const attachment of this.all) this.#count(attachment);
  }
}
