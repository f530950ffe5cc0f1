/** The settings of the chat that is open, as texts; they begin as the visitor's defaults. */
import { areSame, complete, NAMES, requestFields, settingOf, sparse, without } from "./settings-request.js";

const PREFIX = "mlxsite.settings.";
const NEW = "new";
const MOST_DRAFTS = 20;

/**
 * Fires "change" when values were replaced, "edit" when one was edited, "held" (detail: the mistakes, and what became of
 * the question) when a question is held or its settings are refused, "allowed" when a refusal no longer counts, and "discarded" (detail: the values) when a new chat took the place of one that was never asked.
 */
export class Settings extends EventTarget {
  /**
   * @param {import("./my-defaults.js").MyDefaults} defaults
   * @param {(values: Record<string, string>) => {name: string, problem: string}[]} check
   */
  constructor(defaults, check) {
    super();
    this.defaults = defaults;
    this.check = check;
    this.draftsKey = `${PREFIX}${defaults.account}`;
    if (defaults.account) this.#adopt();
    this.chat = NEW;
    /** What the chat has, without the edits that it was not asked with. */
    this.base = complete(defaults.values);
    this.values = complete(this.#drafts()[NEW] ?? this.base);
    /** @type {{name: string, problem: string, text: string} | null} what only the server has refused, of the latest question */
    this.refusal = null;
    defaults.addEventListener("change", () => this.#followDefaults());
  }

  /** A new chat: it has the visitor's defaults. */
  begin() {
    const edits = this.#drafts()[NEW];
    this.#forget(NEW);
    this.#take(NEW, this.defaults.values);
    if (edits) this.#emit("discarded", edits);
    this.defaults.refresh();
  }

  /** @param {string} id @param {Record<string, string> | null} values what the chat was last asked with */
  load(id, values) {
    this.#take(id, values ?? {});
  }

  /** The chat was asked with these settings, and has this id now. */
  asked(id, values) {
    this.#forget(this.chat);
    this.chat = id;
    this.base = complete(values);
    this.#keepDraft();
  }

  /** Hold back a question while a setting is wrong; the panel then shows why. Returns whether it is held. */
  hold() {
    const { mistakes } = this;
    this.#allow();
    if (mistakes.length) this.#emit("held", { mistakes, outcome: "Not sent." });
    return mistakes.length > 0;
  }

  /**
   * The server has refused a field of a question with these settings.
   * @param {string} param as its error names it @param {string} problem @param {string} outcome what became of the question
   * @returns {boolean} whether it is a setting
   */
  refuse(param, problem, outcome) {
    const name = settingOf(param, this.values);
    if (!name) return false;
    this.refusal = { name, problem, text: this.values[name] };
    this.#emit("held", { mistakes: this.marks, outcome });
    return true;
  }

  /** Another question may be taken: by another model, for example. */
  #allow() {
    if (!this.refusal) return;
    this.refusal = null;
    this.#emit("allowed");
  }

  /** @returns {{name: string, problem: string}[]} the mistakes, after what the server has refused and nobody has changed */
  get marks() {
    const { name, text } = this.refusal ?? {};
    return name && this.values[name] === text ? [this.refusal, ...this.mistakes] : this.mistakes;
  }

  get mistakes() {
    return this.check(this.values);
  }

  get isDefault() {
    return areSame(this.values, complete(this.defaults.values));
  }

  /** @returns {Record<string, string>} as they are stored */
  get stored() {
    return sparse(this.values);
  }

  /** The request fields of the settings without mistakes. */
  get requestFields() {
    return requestFields(without(this.values, this.mistakes.map(({ name }) => name)));
  }

  /** A field was edited. */
  set(name, text) {
    const isPlainText = name === "format" && text === "text" && !this.values.schema.trim();
    this.values[name] = isPlainText ? "" : text;
    if (name === "schema") this.#followSchema();
    this.#keepDraft();
    this.#emit("edit");
  }

  /** To enter a schema is to choose it, and to remove it is to choose text again. */
  #followSchema() {
    const { format, schema } = this.values;
    const isThere = Boolean(schema.trim());
    if (isThere === (format === "schema") || !["", "text", "schema"].includes(format)) return;
    this.values.format = isThere ? "schema" : "";
  }

  /** Replace all values of this chat. */
  replace(values) {
    this.values = complete(values);
    this.#keepDraft();
    this.#emit("change");
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #take(id, values) {
    this.refusal = null;
    this.chat = id;
    this.base = complete(values);
    this.values = complete(this.#drafts()[id] ?? this.base);
    this.#emit("change");
  }

  /** Defaults that another window changed are those of a new chat whose settings nobody has touched. */
  #followDefaults() {
    const isUntouched = this.chat === NEW && areSame(this.values, this.base);
    if (isUntouched) this.#take(NEW, this.defaults.values);
    else this.#emit("edit");
  }

  /** Edits survive a reload and a look into another chat, in this tab. */
  #keepDraft() {
    const { [this.chat]: _, ...others } = this.#drafts();
    const drafts = areSame(this.values, this.base) ? others : { ...others, [this.chat]: { ...this.values } };
    write(this.draftsKey, drafts);
  }

  #forget(id) {
    const { [id]: _, ...others } = this.#drafts();
    write(this.draftsKey, others);
  }

  #drafts() {
    return read(this.draftsKey);
  }

  /** Edits from before signing in go on with the account, as the texts do (drafts.js). */
  #adopt() {
    const before = read(PREFIX);
    if (!Object.keys(before).length) return;
    write(this.draftsKey, { ...before, ...this.#drafts() });
    write(PREFIX, {});
  }
}

function read(key) {
  try {
    const drafts = JSON.parse(sessionStorage.getItem(key)) ?? {};
    return Object.fromEntries(Object.entries(drafts).filter(([, values]) => NAMES.some((name) => name in values)));
  } catch {
    return {};
  }
}

function write(key, drafts) {
  try {
    sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(Object.entries(drafts).slice(-MOST_DRAFTS))));
  } catch { /* full or switched off: they last until the page is left */ }
}
