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
    this.query = "";
    this.hasMore = true;
    this.requests = 0;
    /** @type {Set<string>} what this window has deleted */
    this.removed = new Set();
  }

  /** @param {string} query words in a conversation's title or messages */
  search(query) {
    this.query = query;
    return this.refresh();
  }

  /** Load the beginning of the list again. */
  async refresh() {
    this.all = await this.#page(0) ?? this.all;
    this.#emit();
  }

  /** Load the next page; one request at a time. */
  async more() {
    if (!this.hasMore || this.isLoading) return;
    this.isLoading = true;
    const further = await this.#page(this.all.length) ?? [];
    const known = new Set(this.all.map(({ id }) => id));
    this.all.push(...further.filter(({ id }) => !known.has(id)));
    this.isLoading = false;
    this.#emit();
  }

  /** @param {string} id @param {Partial<Listed>} facts */
  async change(id, facts) {
    await call("PATCH", `${ADDRESS}${id}/`, facts);
    await this.refresh();
  }

  async remove(id) {
    this.removed.add(id);
    await call("DELETE", `${ADDRESS}${id}/`);
    this.all = this.all.filter((one) => one.id !== id);
    this.#emit();
  }

  async restore(id) {
    await call("POST", `${ADDRESS}${id}/restore/`);
    this.removed.delete(id);
    await this.refresh();
  }

  /** @param {boolean} isShared @returns {Promise<Listed>} */
  async share(id, isShared) {
    const listed = await call(isShared ? "POST" : "DELETE", `${ADDRESS}${id}/share/`);
    await this.refresh();
    return listed;
  }

  /** @param {File} file an exported conversation @returns {Promise<Listed>} */
  async importFile(file) {
    const imported = await call("POST", "/chat/import/", JSON.parse(await file.text()));
    await this.refresh();
    return imported;
  }

  /** @returns {Promise<Listed[] | null>} null when a later request was faster, or the server cannot be reached */
  async #page(after) {
    this.requests += 1;
    const request = this.requests;
    const found = await call("GET", `${ADDRESS}?${new URLSearchParams({ words: this.query, after })}`).catch(() => null);
    if (!found || request !== this.requests) return null;
    this.hasMore = found.has_more;
    return found.conversations;
  }

  #emit() {
    this.dispatchEvent(new Event("change"));
  }
}
