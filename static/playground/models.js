/** The models as the server last sent them, and the one that is picked here. */
import { listen } from "./live-socket.js";
import { loadingText } from "./load-phases.js";
import { store } from "./store.js";

const NOTICE_AFTER_MS = 1000; // a connection that is back before that causes no notice
const UNREACHABLE = "The server cannot be reached; trying again… Your text is kept.";

/** Models that make vectors or scores cannot chat. */
const canChat = (model) => !["embedding", "rerank"].includes(model.kind);

/** What an id of LoRA adapters names: "base:adapter"; empty for other ids. */
const baseOf = (id) => (id.includes(":") ? id.slice(0, id.lastIndexOf(":")) : "");

/**
 * @typedef {{id: string, family: string, context_length: number, resident_bytes: number, is_remote?: boolean,
 *   state: "unloaded" | "loading" | "ready" | "busy" | "draining" | "failed", loaded_percent: number, load_phase: string, reason: string, base: string, profile: string,
 *   sees: boolean, picture_tokens: number, picture_token_pixels: number,
 *   aliases?: string[], self_test?: {text: string, tone: "" | "green" | "grey" | "amber" | "red", texts: string[]}}} Model
 */

/**
 * Fires "change" whenever a model's state, the choice, a capture or the connection changes, "back" when it is live again.
 *
 * A model that is in use and no longer served is not replaced by another: `missing` names it, `picked` is undefined, and
 * nothing is asked until the visitor has chosen.
 */
export class Models extends EventTarget {
  /**
   * @param {Model[]} all
   * @param {{id: string, reason: string}[]} unavailable
   * @param {string} address of the websocket
   * @param {number} keptUntil unix time, 0 for not at all
   */
  constructor(all, unavailable, address, keptUntil) {
    super();
    this.all = all.filter(canChat);
    this.unavailable = unavailable;
    this.keptUntil = keptUntil;
    /** @type {string[]} the models that are asked side by side, none for one alone */
    this.comparedIds = [];
    /** @type {{id: string, state: string, percent: number | null, message: string}[]} none for visitors who may not manage models */
    this.downloads = [];
    this.lost = ""; // why the list may be out of date, as a text
    this.chosenId = store.read("model") ?? ""; // for new chats
    this.askedId = store.read("asked-model") ?? ""; // the one that was asked last, picked or not
    this.useDefault();
    listen(address, { onMessage: (message) => this.#receive(message), onLost: (reason) => this.#lose(reason) });
  }

  /** @returns {Model | undefined} the model of this id or alias */
  find(id) {
    return this.all.find((model) => model.id === id) ?? this.all.find(({ aliases }) => aliases?.includes(id));
  }

  /** @returns {Model | undefined} the one in use, or else one that would answer without loading; none while one is missing */
  get picked() {
    return this.missing.length ? undefined : this.find(this.usedId) ?? this.fallback;
  }

  /** @returns {Model | undefined} one in memory, or else the one asked last; of several in memory that one, too */
  get fallback() {
    const loaded = this.all.filter(({ state }) => state === "ready" || state === "busy");
    const last = this.find(this.askedId);
    return loaded.includes(last) ? last : loaded[0] ?? last ?? this.all[0];
  }

  /** @returns {string[]} two to four, or none */
  get compared() {
    return this.missing.length ? [] : this.comparedIds;
  }

  /** @returns {string[]} the models in use that are not served */
  get missing() {
    const used = this.comparedIds.length ? this.comparedIds : [this.usedId];
    return used.filter((id) => id && !this.find(id));
  }

  /** @param {string} id @returns {string} why this model cannot be asked, as sentences */
  reasonOf(id) {
    const base = baseOf(id);
    const isOrphan = base && !this.find(base) && !this.unavailable.some((one) => one.id === base);
    const known = this.unavailable.find((one) => one.id === id)?.reason;
    if (known) return `${id} cannot be used now. ${known}`;
    return isOrphan ? `${id} is not on this server, and no model here is named ${base}.` : `${id} is not on this server.`;
  }

  /** Use this model for the conversation that was opened; the choice for new chats stays. */
  use(id) {
    this.#set({ usedId: id });
  }

  /** Use the visitor's last choice, for a new chat; a comparison goes on. */
  useDefault() {
    const isGone = Boolean(this.chosenId) && !this.find(this.chosenId) && this.all.length > 0;
    const comparedIds = this.comparedIds.every((id) => this.find(id)) ? this.comparedIds : [];
    this.#set({ usedId: isGone ? "" : this.chosenId, staleId: isGone ? this.chosenId : "", comparedIds });
  }

  /** Use the model that is asked now from here on, even if nobody picked it. */
  keepPick() {
    this.askedId = this.picked?.id ?? "";
    store.write("asked-model", this.askedId);
    this.#set({ usedId: this.usedId || this.picked?.id, comparedIds: this.comparedIds });
  }

  /** Ask these models side by side; fewer than two end the comparison. */
  compare(ids) {
    this.#set({ usedId: this.usedId, comparedIds: ids.length > 1 ? ids : [] });
  }

  pick(id) {
    this.chosenId = id;
    store.write("model", id);
    this.#set({ usedId: id });
  }

  #set({ usedId, staleId = "", comparedIds = [] }) {
    Object.assign(this, { usedId, staleId, comparedIds });
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string} reason why the server closed the connection for good, empty if it will be tried again */
  #lose(reason) {
    if (reason) this.#setLost(reason);
    else this.noticeTimer ??= setTimeout(() => this.#setLost(UNREACHABLE), NOTICE_AFTER_MS);
  }

  #receive(message) {
    if (message.type !== "models") return;
    const wasLost = Boolean(this.lost);
    this.#update(message.models.filter(canChat), message.unavailable ?? []);
    this.keptUntil = message.kept_until;
    this.downloads = message.downloads ?? [];
    this.#setLost("");
    if (wasLost) this.dispatchEvent(new Event("back"));
  }

  /** A model that was offered until now and goes is missed, even if nobody picked it. @param {Model[]} all as the server has them now */
  #update(all, unavailable) {
    const before = this.picked?.id;
    this.all = all;
    this.unavailable = unavailable;
    if (before && !this.find(before)) this.usedId ||= before;
  }

  #setLost(lost) {
    clearTimeout(this.noticeTimer);
    this.noticeTimer = null;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Model} model @returns {string} its state as a text, empty if it is unloaded */
export function stateText(model) {
  switch (model.state) {
    case "loading": return loadingText(model);
    case "ready": return "ready";
    case "busy": return "generating";
    case "draining": return "unloading";
    case "failed": return "failed to load";
    default: return "";
  }
}

/** Act once, as soon as a model that is in use is gone: most visits have all of theirs. @param {Models} models @param {() => void} act */
export function whenGone(models, act) {
  const look = () => {
    if (!models.staleId && !models.missing.length) return;
    models.removeEventListener("change", look);
    act();
  };
  models.addEventListener("change", look);
  look();
}
