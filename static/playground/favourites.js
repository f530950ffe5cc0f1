/** The visitor's favourite models: an account's are on the server, others in this browser. */
import { call } from "./api.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const ADDRESS = "/chat/favourites/";
const KEY = "favourites";

/** Fires "change" when they are others than before. */
export class Favourites extends EventTarget {
  /** @param {{account: string, favourites: string[] | null}} mine as the page has it @param {string} username empty without an account */
  constructor({ account, favourites }, username) {
    super();
    this.account = account;
    this.ids = new Set(favourites ?? kept(KEY));
    this.others = "BroadcastChannel" in window ? new BroadcastChannel("mlxsite.favourites") : null;
    this.others?.addEventListener("message", () => this.refresh());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.refresh(); });
    if (account) this.#moveOwn(`${KEY}.${username}`);
  }

  has(id) {
    return this.ids.has(id);
  }

  /** It is shown at once, and taken back where it could not be saved. */
  async toggle(id) {
    const isAdded = !this.has(id);
    this.#put([id], isAdded);
    try {
      await this.#save(isAdded ? { add: [id] } : { remove: [id] });
    } catch (error) {
      this.#put([id], !isAdded);
      toast(`Your favourites were not saved. ${error.message}`);
    }
  }

  /** Another window, or another browser of the same account, may have changed them. */
  async refresh() {
    const ids = this.account ? await call("GET", ADDRESS).then(({ favourites }) => favourites, () => null) : kept(KEY);
    if (ids) this.#set(ids);
  }

  /** @returns {string[]} those that this browser kept before its visitor signed in, and that are not the account's */
  get offered() {
    return this.account ? kept(KEY).filter((id) => !this.has(id)) : [];
  }

  /** Move them to the account. */
  takeOffered() {
    return this.#move(KEY);
  }

  /** Those that this browser kept for the account, when favourites were not on the server yet. */
  async #moveOwn(key) {
    if (kept(key).length) await this.#move(key).catch(() => {}); // they stay here until the server has them
  }

  /** The browser's copy goes once the server has them. */
  async #move(key) {
    const add = kept(key);
    await this.#save({ add });
    store.removeText(key);
    this.#put(add, true);
  }

  async #save(changes) {
    if (this.account) await call("PATCH", ADDRESS, changes);
    else if (store.write(KEY, [...this.ids]) === null) throw new Error("This browser does not allow the page to store anything.");
    this.others?.postMessage("changed");
  }

  #put(ids, isAdded) {
    const others = [...this.ids].filter((id) => !ids.includes(id));
    this.#set(isAdded ? [...others, ...ids] : others);
  }

  #set(ids) {
    this.ids = new Set(ids);
    this.dispatchEvent(new Event("change"));
  }
}

/** @returns {string[]} */
function kept(key) {
  const ids = store.read(key);
  return Array.isArray(ids) ? ids : [];
}
