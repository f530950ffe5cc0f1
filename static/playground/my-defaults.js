/** The settings that the visitor's new chats begin with: an account's are on the server, others in this browser. */
import { call } from "./api.js";
import { areSame, sparse } from "./settings-request.js";
import { store } from "./store.js";

const KEY = "defaults";

/** Fires "change" when they are others than before. */
export class MyDefaults extends EventTarget {
  /** @param {{account: string, defaults: Record<string, string> | null}} mine as the page has it */
  constructor({ account, defaults }) {
    super();
    this.account = account;
    this.values = defaults ?? store.read(KEY) ?? {};
    this.others = "BroadcastChannel" in window ? new BroadcastChannel("mlxsite.defaults") : null;
    this.others?.addEventListener("message", () => this.refresh());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.refresh(); });
  }

  /** Throws an AnswerError when they could not be saved. @param {Record<string, string>} values */
  async save(values) {
    const kept = sparse(values);
    if (this.account) await call("PUT", "/chat/settings/", { settings: kept });
    else if (store.write(KEY, kept) === null) throw new Error("This browser does not allow the page to store anything.");
    this.others?.postMessage("changed");
    this.#set(kept);
  }

  /** @returns {Record<string, string>} those that this browser kept before its visitor signed in, unless they are the account's */
  get offered() {
    const kept = this.account ? sparse(store.read(KEY) ?? {}) : {};
    return areSame(kept, this.values) ? {} : kept;
  }

  /** Have the account begin with them. @returns {Promise<() => Promise<void>>} puts both back as they were */
  async takeOffered() {
    const { offered, values } = this;
    await this.save(offered);
    store.removeText(KEY);
    return async () => {
      await this.save(values);
      store.write(KEY, offered);
    };
  }

  /** Another window, or another browser of the same account, may have changed them. */
  async refresh() {
    const values = this.account
      ? await call("GET", "/chat/settings/").then(({ settings }) => settings, () => null)
      : store.read(KEY) ?? {};
    if (values) this.#set(values);
  }

  #set(values) {
    if (JSON.stringify(sparse(values)) === JSON.stringify(sparse(this.values))) return;
    this.values = values;
    this.dispatchEvent(new Event("change"));
  }
}
