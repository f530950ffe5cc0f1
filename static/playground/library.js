/** The visitor's conversations: the list beside the one that is open. */
import { call } from "./api.js";

const ADDRESS = "/chat/conversations/";

/**
 * @typedef {{id: string, title: string, folder: string, is_pinned: boolean, changed_at: string, share: string | null}} Listed
 */

/** Fires "change" when the list does. */
export class Library extends EventTarget {
  constructor() {
    super();
    /** @type {Listed[]} */
    this.all = [];
    this.words = "";
    this.hasMore = true;
    this.asked = 0;
  }

  /** @param {string} words that a conversation's title or messages have */
  search(words) {
    this.words = words;
    return this.refresh();
  }

  /** Read the beginning of the list again. */
  async refresh() {
    this.all = await this.#page(0) ?? this.all;
    this.#tell();
  }

  /** Read on; one page at a time. */
  async more() {
    if (!this.hasMore || this.isReading) return;
    this.isReading = true;
    const further = await this.#page(this.all.length) ?? [];
    const known = new Set(this.all.map(({ id }) => id));
    this.all.push(...further.filter(({ id }) => !known.has(id)));
    this.isReading = false;
    this.#tell();
  }

  /** @param {string} id @param {Partial<Listed>} facts */
  async change(id, facts) {
    await call("PATCH", `${ADDRESS}${id}/`, facts);
    await this.refresh();
  }

  async remove(id) {
    await call("DELETE", `${ADDRESS}${id}/`);
    this.all = this.all.filter((one) => one.id !== id);
    this.#tell();
  }

  async restore(id) {
    await call("POST", `${ADDRESS}${id}/restore/`);
    await this.refresh();
  }

  /** @param {boolean} isShared @returns {Promise<Listed>} */
  async share(id, isShared) {
    const listed = await call(isShared ? "POST" : "DELETE", `${ADDRESS}${id}/share/`);
    await this.refresh();
    return listed;
  }

  /** @param {File} file that an export made @returns {Promise<Listed>} */
  async bringIn(file) {
    const made = await call("POST", "/chat/import/", JSON.parse(await file.text()));
    await this.refresh();
    return made;
  }

  /** @returns {Promise<Listed[] | null>} null when a later question was quicker, or the server is away */
  async #page(after) {
    this.asked += 1;
    const asked = this.asked;
    const found = await call("GET", `${ADDRESS}?${new URLSearchParams({ words: this.words, after })}`).catch(() => null);
    if (!found || asked !== this.asked) return null;
    this.hasMore = found.has_more;
    return found.conversations;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
