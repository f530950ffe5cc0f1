/** The models as the server last sent them, and the one that is picked here. */
import { refusal } from "./refusal.js";
import { store } from "./store.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const NOTICE_AFTER_MS = 1000; // a connection that is back before that causes no notice
const UNREACHABLE = "The server cannot be reached; trying again… Your text is kept.";
const MAX_COMPARED = 4;

/** Models that make vectors or scores cannot chat. */
const canChat = (model) => !["embedding", "rerank"].includes(model.kind);

/**
 * @typedef {{id: string, family: string, context_length: number, resident_bytes: number,
 *   state: "unloaded" | "loading" | "ready" | "busy" | "draining" | "failed", loaded_percent: number, reason: string, base: string}} Model
 */

/** Fires "change" whenever a model's state, the pick, a capture or the connection changes, "back" when it is live again. */
export class Models extends EventTarget {
  /** @param {Model[]} all @param {string} address of the websocket @param {number} keptUntil unix time, 0 for not at all */
  constructor(all, address, keptUntil) {
    super();
    this.all = all.filter(canChat);
    this.keptUntil = keptUntil;
    this.address = address;
    this.pickedId = store.read("model");
    /** @type {string[]} the models that are asked side by side, none for the picked one alone */
    this.comparedIds = [];
    this.failures = 0;
    this.lost = ""; // why the list may be out of date, as a text
    this.goneId = ""; // the picked model, after the server stopped serving it
    this.#connect();
  }

  /** @returns {Model | undefined} the visitor's choice, or else one that would answer without loading */
  get picked() {
    return (
      this.all.find((model) => model.id === this.pickedId) ??
      this.all.find((model) => model.state === "ready" || model.state === "busy") ??
      this.all[0]
    );
  }

  /** @returns {string[]} two to four, or none */
  get compared() {
    const known = this.comparedIds.filter((id) => this.all.some((model) => model.id === id));
    return known.length > 1 ? known : [];
  }

  /** @returns {string} a notice for the visitor, usually empty */
  get notice() {
    if (this.lost || !this.goneId) return this.lost;
    if (!this.picked) return `${this.goneId} is no longer available, and there is no other model.`;
    return `${this.goneId} is no longer available; ${this.picked.id} answers instead. You can choose another model above.`;
  }

  /** Keep the model that is asked now, even if nobody picked it. */
  keepPick() {
    this.pickedId ||= this.picked?.id;
  }

  /** Add this model to the comparison, or remove it. */
  compare(id, isCompared) {
    const others = this.comparedIds.filter((other) => other !== id);
    this.comparedIds = isCompared ? [...others, id].slice(-MAX_COMPARED) : others;
    this.dispatchEvent(new Event("change"));
  }

  pick(id) {
    this.comparedIds = [];
    this.pickedId = id;
    this.goneId = "";
    store.write("model", id);
    this.dispatchEvent(new Event("change"));
  }

  #connect() {
    const url = new URL(this.address, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", (event) => this.#receive(JSON.parse(event.data)));
    socket.addEventListener("close", ({ code }) => this.#lose(refusal(code)));
  }

  /** @param {string} reason why the server closed it for good, empty if reconnecting makes sense */
  #lose(reason) {
    if (reason) {
      this.#setLost(reason);
      return;
    }
    this.noticeTimer ??= setTimeout(() => this.#setLost(UNREACHABLE), NOTICE_AFTER_MS);
    setTimeout(() => this.#connect(), RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }

  #receive(message) {
    if (message.type !== "models") return;
    const wasLost = Boolean(this.lost);
    this.#update(message.models.filter(canChat));
    this.keptUntil = message.kept_until;
    this.failures = 0;
    this.#setLost("");
    if (wasLost) this.dispatchEvent(new Event("back"));
  }

  /** @param {Model[]} all as the server has them now */
  #update(all) {
    const before = this.picked?.id;
    const isServed = (id) => all.some((model) => model.id === id);
    this.all = all;
    if (before && !isServed(before)) this.goneId ||= before;
    else if (isServed(this.goneId)) this.goneId = "";
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
    case "loading": return `loading ${model.loaded_percent} %`;
    case "ready": return "ready";
    case "busy": return "generating";
    case "draining": return "unloading";
    case "failed": return "failed to load";
    default: return "";
  }
}
