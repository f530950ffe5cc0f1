/** The visitor's conversations: the list beside the one that is open, with its folders, and what a search found. */
import { call } from "./api.js";

const ADDRESS = "/chat/conversations/";
const FOLDERS = "/chat/folders/";
const REFRESH_AFTER_MS = 150; // several changes at once cause one request
const RETRY_MS = [1000, 2000, 4000]; // after a list that could not be loaded; a lost connection causes a refresh when it is back

/**
 * @typedef {[string, boolean][]} Snippet texts, and whether each is a hit
 * @typedef {{message: number, place: "question" | "answer" | "reasoning", snippet: Snippet}} Hit
 * @typedef {{id: string, title: string, folder: string, is_pinned: boolean, changed_at: string, share: string | null, copied_from: string | null, hits?: Hit[], title_snippet?: Snippet}} Listed
 * @typedef {{name: string, count: number, conversations: Listed[], has_more: boolean}} Folder
 */

/** Fires "change" when the list does. */
export class Library extends EventTarget {
  constructor() {
    super();
    /** @type {Listed[]} those that are pinned or in no folder; during a search, what it found */
    this.all = [];
    /** @type {Folder[]} */
    this.folders = [];
    /** @type {Set<string>} the conversations in which an answer is in progress */
    this.answering = new Set();
    this.query = "";
    this.shownQuery = ""; // of the list that is there; another one may be on its way
    this.hasMore = false;
    this.requests = 0;
    this.refreshing = Promise.resolve();
    this.failures = 0; // one after the other
    /** @type {Set<string>} what this window has deleted */
    this.removed = new Set();
    /** @type {Set<string>} what the server has not deleted yet */
    this.removing = new Set();
    this.isLoading = false;
  }

  /** @param {string} id @returns {Listed | undefined} */
  find(id) {
    const isIt = (one) => one.id === id;
    return this.all.find(isIt) ?? this.folders.flatMap(({ conversations }) => conversations).find(isIt);
  }

  /** @returns {string[]} what the search has found in a message, as it is written there */
  foundIn(id, message) {
    const hit = this.find(id)?.hits?.find((one) => one.message === message);
    return (hit?.snippet ?? []).filter(([, isHit]) => isHit).map(([text]) => text);
  }

  /** @param {string} query terms in a conversation's title or messages */
  search(query) {
    this.query = query.trim() ? query : "";
    return this.refresh();
  }

  /** Load the beginning of the list again; pages that were loaded before stay. It ends once the list is the newest one. */
  async refresh() {
    this.refreshing = this.#load();
    for (let last = null; last !== this.refreshing;) {
      last = this.refreshing;
      await last;
    }
  }

  async #load() {
    const query = this.query;
    this.isLoading = true;
    const found = await this.#page(0);
    if (!found) return;
    const isSame = query === this.shownQuery;
    this.shownQuery = query;
    if (!query) this.folders = found.folders.map((folder) => withLoaded(folder, this.folders));
    this.all = query || !isSame ? found.conversations : this.#merged(found);
    if (this.all.length === found.conversations.length) this.hasMore = found.has_more;
    this.#emit();
  }

  /** Refresh after a change that another window may have made. */
  refreshSoon(afterMs = REFRESH_AFTER_MS) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), afterMs);
  }

  /** Load the next page; one request at a time, so that none is taken for the answer to another. */
  async more() {
    if (!this.hasMore || this.isLoading) return;
    this.isLoading = true;
    const found = await this.#page(this.all.length);
    if (!found) return;
    this.hasMore = found.has_more;
    append(this.all, found.conversations);
    this.#emit();
  }

  /** Load the next page of a folder. @param {string} name */
  async moreInFolder(name) {
    const find = () => this.folders.find((one) => one.name === name);
    const after = find().conversations.length;
    const found = await call("GET", `${ADDRESS}?${new URLSearchParams({ folder: name, after })}`);
    const folder = find(); // the list may have been loaded again
    if (!folder) return;
    append(folder.conversations, found.conversations);
    folder.has_more = found.has_more;
    this.#emit();
  }

  /** @param {string[]} conversations the ids of all in which an answer is in progress */
  setAnswering(conversations) {
    this.answering = new Set(conversations);
    this.#emit();
  }

  /** Show the title that a model wrote. @param {string} id @param {string} title */
  retitle(id, title) {
    const listed = this.find(id);
    if (listed) listed.title = title;
    this.dispatchEvent(new CustomEvent("title", { detail: { id, title } }));
    this.#emit();
  }

  /** @param {string} id @param {Partial<Listed>} facts */
  async change(id, facts) {
    await call("PATCH", `${ADDRESS}${id}/`, facts);
    await this.refresh();
  }

  /** @returns {Promise<boolean>} false when that is underway already */
  async remove(id) {
    if (this.removing.has(id)) return false;
    this.removing.add(id);
    this.removed.add(id);
    try {
      await call("DELETE", `${ADDRESS}${id}/`);
    } catch (error) {
      this.removed.delete(id);
      throw error;
    } finally {
      this.removing.delete(id);
    }
    this.all = this.all.filter((one) => one.id !== id);
    for (const folder of this.folders) {
      const left = folder.conversations.filter((one) => one.id !== id);
      folder.count -= folder.conversations.length - left.length;
      folder.conversations = left;
    }
    this.#emit();
    return true;
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

  /** @param {string} name */
  async createFolder(name) {
    await call("POST", FOLDERS, { name });
    await this.refresh();
  }

  async renameFolder(name, newName) {
    await call("PATCH", FOLDERS, { name, new_name: newName });
    await this.refresh();
  }

  /** Its conversations stay. @param {string} name */
  async deleteFolder(name) {
    await call("DELETE", FOLDERS, { name });
    await this.refresh();
  }

  /** The first page as it is now, and what is older than it of the list so far. */
  #merged({ conversations }) {
    const end = conversations.findLast((one) => !one.is_pinned)?.changed_at;
    const known = new Set(conversations.map(({ id }) => id));
    const inFolders = new Set(this.folders.flatMap((folder) => folder.conversations).map(({ id }) => id));
    const isOlder = (one) => !one.is_pinned && one.changed_at < end && !known.has(one.id) && !inFolders.has(one.id);
    return end ? [...conversations, ...this.all.filter(isOlder)] : conversations;
  }

  /** @returns {Promise<{conversations: Listed[], has_more: boolean, folders: Folder[]} | null>} null when a later request was faster, or the server cannot be reached */
  async #page(after) {
    this.requests += 1;
    const request = this.requests;
    const asked = this.query ? { words: this.query, after } : { unfiled: "1", after };
    const found = await call("GET", `${ADDRESS}?${new URLSearchParams(asked)}`).catch(() => null);
    if (request !== this.requests) return null;
    this.isLoading = false;
    if (!found && this.failures < RETRY_MS.length) this.refreshSoon(RETRY_MS[this.failures]);
    this.failures = found ? 0 : this.failures + 1;
    return found;
  }

  #emit() {
    this.dispatchEvent(new Event("change"));
  }
}

/** Add those that are not there yet. */
function append(list, further) {
  const known = new Set(list.map(({ id }) => id));
  list.push(...further.filter(({ id }) => !known.has(id)));
}

/** A folder's first page as it is now, with the further pages that were loaded. */
function withLoaded(folder, before) {
  const loaded = before.find(({ name }) => name === folder.name)?.conversations ?? [];
  const end = folder.conversations.at(-1)?.changed_at;
  if (!folder.has_more || !end) return folder;
  append(folder.conversations, loaded.filter((one) => one.changed_at < end));
  return { ...folder, has_more: folder.conversations.length < folder.count };
}
