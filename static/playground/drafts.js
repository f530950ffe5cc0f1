/**
 * What the visitor has written and not sent yet: a text for each chat and each open form.
 *
 * Each text is kept twice. The browser's copy outlives the window, the session and the server; the latest of several
 * windows is there. The window's own copy wins while it lasts, so that two windows that write in one chat do not
 * overwrite each other. Both are kept by account, and the oldest are dropped once there are many.
 */
import { account } from "./account.js";

const PREFIX = "mlxsite.draft.";
const SAVE_AFTER_MS = 250;
const MAX_DRAFTS = 60;
const MAX_CHARACTERS = 1_000_000; // of one text: the server takes no longer one
const MAX_TOTAL = 2_000_000; // of all; browsers keep about 5 million

/** Fires "change" (detail: {key, text, before}) when another window has changed a text that it knew as `before`. */
class Drafts extends EventTarget {
  constructor() {
    super();
    /** @type {Map<string, {text: string, isSent: boolean}>} texts that are not saved yet */
    this.unsaved = new Map();
    /** @type {Map<string, string>} what this window has last read or written; another may have written since */
    this.known = new Map();
    addEventListener("pagehide", () => this.flush());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.flush(); });
    // Events of the storage have no reliable order where two windows write at the same time.
    this.channel = new BroadcastChannel(`${PREFIX}${account.id}`);
    this.channel.addEventListener("message", ({ data }) => this.dispatchEvent(new CustomEvent("change", { detail: data })));
  }

  /** @param {string} key a chat, or a form of a message @returns {string} empty where there is none */
  read(key) {
    const text = this.#find(key)?.text ?? "";
    this.known.set(key, text);
    return text;
  }

  /** Whether the text was being sent when its page ended. */
  isSent(key) {
    return this.#find(key)?.isSent ?? false;
  }

  /** Whether this window has a copy of its own: the text was written here. */
  isOwn(key) {
    return Boolean(attempt(() => sessionStorage.getItem(nameOf(account.id, key))));
  }

  /** Another window has written this text; this one goes on with it. */
  takeOver(key, text) {
    this.unsaved.delete(key);
    this.known.set(key, text);
    if (this.isOwn(key)) save(sessionStorage, nameOf(account.id, key), { text });
  }

  /** Keep a text, soon; an empty one is removed. */
  write(key, text, isSent = false) {
    this.unsaved.set(key, { text: text.slice(0, MAX_CHARACTERS), isSent });
    this.timer ??= setTimeout(() => this.flush(), SAVE_AFTER_MS);
  }

  /** Remove a text at once. */
  clear(key) {
    this.write(key, "");
    this.flush();
  }

  flush() {
    clearTimeout(this.timer);
    this.timer = null;
    for (const [key, draft] of this.unsaved) {
      const name = nameOf(account.id, key);
      const isOthers = !draft.text && (this.#stored(key, account.id, [attempt(() => localStorage)])?.text ?? "") !== this.known.get(key);
      for (const storage of storages()) if (!isOthers || storage === attempt(() => sessionStorage)) save(storage, name, draft);
      this.channel.postMessage({ key, text: draft.text, before: this.known.get(key) ?? "" });
      this.known.set(key, draft.text);
    }
    if (storages().length) this.unsaved.clear(); // else the page alone remembers them
  }

  #find(key) {
    return this.unsaved.get(key) ?? this.#stored(key, account.id) ?? this.#adopted(key);
  }

  #stored(key, owner, places = storages()) {
    for (const storage of places.filter(Boolean)) {
      const found = parse(attempt(() => storage.getItem(nameOf(owner, key))));
      if (found) return found;
    }
    return null;
  }

  /** What was written here before signing in goes on with the account. */
  #adopted(key) {
    const found = account.id === "0" ? null : this.#stored(key, "0");
    if (!found) return null;
    for (const storage of storages()) save(storage, nameOf("0", key), { text: "" });
    this.write(key, found.text, found.isSent);
    return found;
  }
}

const nameOf = (owner, key) => `${PREFIX}${owner}.${key}`;

/** The window's storage first; either may be switched off. */
function storages() {
  return [attempt(() => sessionStorage), attempt(() => localStorage)].filter(Boolean);
}

function attempt(act) {
  try { return act(); } catch { return null; }
}

/** A record is the time, "s" while the text is being sent or "d", and the text. */
function parse(record) {
  const [, isSent, text] = /^\d+([sd])([^]*)$/.exec(record ?? "") ?? [];
  return text === undefined ? null : { text, isSent: isSent === "s" };
}

function save(storage, name, { text, isSent }) {
  attempt(() => {
    if (!text) return storage.removeItem(name);
    const record = `${Date.now()}${isSent ? "s" : "d"}${text}`;
    makeSpace(storage, name, record.length, MAX_TOTAL);
    try {
      return storage.setItem(name, record);
    } catch { // other pages of this site may have filled it
      makeSpace(storage, name, record.length, record.length);
      return storage.setItem(name, record);
    }
  });
}

/** Drop the oldest texts until there is space for one of this length. */
function makeSpace(storage, name, length, limit) {
  const others = Object.keys(storage).filter((other) => other.startsWith(PREFIX) && other !== name)
    .map((other) => ({ other, record: storage.getItem(other) }))
    .sort((one, two) => parseInt(two.record, 10) - parseInt(one.record, 10));
  let total = length;
  for (const [place, { other, record }] of others.entries()) {
    total += record.length;
    if (place >= MAX_DRAFTS - 1 || total > limit) storage.removeItem(other);
  }
}

export const drafts = new Drafts();
