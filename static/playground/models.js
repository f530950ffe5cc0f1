/** The models as the server last told them, and the one that is picked here. */
import { refusal } from "./refusal.js";
import { store } from "./store.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const UNHEARD_MS = 1000; // a connection that is back before that is not spoken of
const UNREACHABLE = "The server cannot be reached; trying again… What you write stays here.";
const MOST_COMPARED = 4;

/** An embedding model makes vectors, and has nothing to say here. */
const chats = (model) => model.kind !== "embedding";

/**
 * @typedef {{id: string, family: string, context_length: number, resident_bytes: number,
 *   state: "unloaded" | "loading" | "ready" | "busy" | "draining" | "failed", loaded_percent: number, reason: string}} Model
 */

/** Fires "change" whenever a model's state, the pick, a capture or the connection changes, "back" when it is live again. */
export class Models extends EventTarget {
  /** @param {Model[]} all @param {string} address of the websocket @param {number} keptUntil unix time, 0 for not at all */
  constructor(all, address, keptUntil) {
    super();
    this.all = all.filter(chats);
    this.keptUntil = keptUntil;
    this.address = address;
    this.pickedId = store.read("model");
    /** @type {string[]} the models that are asked side by side, none for the picked one alone */
    this.comparedIds = [];
    this.failures = 0;
    this.lost = ""; // why what is known here may be out of date, in words
    this.goneId = ""; // the model that was picked until the server served it no more
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

  /** @returns {string} what the visitor has to know before asking, usually nothing */
  get trouble() {
    if (this.lost || !this.goneId) return this.lost;
    if (!this.picked) return `${this.goneId} is not served any more, and there is no other model.`;
    return `${this.goneId} is not served any more, so ${this.picked.id} answers. Another can be chosen above.`;
  }

  /** Stay with the model that is asked now, also where nobody chose it. */
  settle() {
    this.pickedId ||= this.picked?.id;
  }

  /** Ask this model too, or no more. */
  compare(id, isCompared) {
    const others = this.comparedIds.filter((other) => other !== id);
    this.comparedIds = isCompared ? [...others, id].slice(-MOST_COMPARED) : others;
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
    socket.addEventListener("message", (event) => this.#hear(JSON.parse(event.data)));
    socket.addEventListener("close", ({ code }) => this.#lose(refusal(code)));
  }

  /** @param {string} words why it was closed for good, empty where trying again makes sense */
  #lose(words) {
    if (words) {
      this.#become(words);
      return;
    }
    this.silence ??= setTimeout(() => this.#become(UNREACHABLE), UNHEARD_MS);
    setTimeout(() => this.#connect(), RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }

  #hear(told) {
    if (told.type !== "models") return;
    const wasLost = Boolean(this.lost);
    this.#take(told.models.filter(chats));
    this.keptUntil = told.kept_until;
    this.failures = 0;
    this.#become("");
    if (wasLost) this.dispatchEvent(new Event("back"));
  }

  /** @param {Model[]} all as the server has them now */
  #take(all) {
    const before = this.picked?.id;
    const isServed = (id) => all.some((model) => model.id === id);
    this.all = all;
    if (before && !isServed(before)) this.goneId ||= before;
    else if (isServed(this.goneId)) this.goneId = "";
  }

  #become(lost) {
    clearTimeout(this.silence);
    this.silence = null;
    this.lost = lost;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {Model} model @returns {string} its state in words, empty when there is nothing to say */
export function stateWords(model) {
  switch (model.state) {
    case "loading": return `loading ${model.loaded_percent} %`;
    case "ready": return "ready";
    case "busy": return "answering";
    case "draining": return "unloading";
    case "failed": return "did not load";
    default: return "";
  }
}
