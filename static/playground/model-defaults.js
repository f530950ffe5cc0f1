/** What the picked model does with each setting that is left empty. */
import { call } from "./api.js";

/**
 * @typedef {{value: number, source: "server" | "model" | "context" | ""}} Default
 * @typedef {{model: string, defaults: Record<string, Default>, has_template: boolean,
 *   reasoning: {can_reason: boolean, has_switch: boolean, efforts: string[]}}} ModelSettings
 */

/** Fires "change" when they are known, or are those of another model. */
export class ModelDefaults extends EventTarget {
  /** @param {import("./models.js").Models} models */
  constructor(models) {
    super();
    this.models = models;
    /** @type {ModelSettings | null} */
    this.current = null;
    this.asked = undefined;
    models.addEventListener("change", () => { if (models.picked?.id !== this.asked) this.refresh(); });
  }

  async refresh() {
    const model = this.models.picked?.id;
    this.asked = model;
    if (this.current?.model !== model) this.#set(null);
    if (!model) return;
    const found = await call("GET", `/chat/models/settings/?model=${encodeURIComponent(model)}`).catch(() => null);
    if (found && this.asked === model) this.#set(found);
  }

  #set(current) {
    this.current = current;
    this.dispatchEvent(new Event("change"));
  }
}

/** Ask for those of one model, which may be another than the picked one. @returns {Promise<Record<string, Default>>} none where they are not known */
export function defaultsOf(model) {
  return call("GET", `/chat/models/settings/?model=${encodeURIComponent(model)}`).then(({ defaults }) => defaults, () => ({}));
}

/** @param {Default} [found] @returns {string} "0.2, the model's"; empty while it is unknown */
export function defaultText(found) {
  if (!found) return "";
  const sources = { server: "this server's", model: "the model's", context: "the model's context", "": "the default" };
  return `${found.value.toLocaleString("en", { maximumFractionDigits: 6 })}, ${sources[found.source]}`;
}

/** @param {Default} [found] @returns {string} of the longest answer */
export function lengthText(found) {
  return found ? `up to ${found.value.toLocaleString("en")}` : "";
}

/** @param {Default} [found] @returns {string} what limits an answer anyway */
export function limitText(found) {
  if (!found) return "";
  const tokens = found.value.toLocaleString("en");
  return found.source === "server" ? `This server ends every answer after ${tokens} tokens.` : `Question and answer share the model's ${tokens} tokens.`;
}
