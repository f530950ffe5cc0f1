/** The visitor's favourite models, kept in this browser for each account. */
import { store } from "./store.js";

const MOST = 200;

export class Favourites {
  /** @param {string} account its name, empty for a visitor who is not signed in */
  constructor(account) {
    this.name = account ? `favourites.${account}` : "favourites";
    const kept = store.read(this.name);
    this.ids = new Set(Array.isArray(kept) ? kept : []);
  }

  has(id) {
    return this.ids.has(id);
  }

  /** @returns {boolean} whether it is one now */
  toggle(id) {
    if (!this.ids.delete(id)) this.ids.add(id);
    this.ids = new Set([...this.ids].slice(-MOST));
    store.write(this.name, [...this.ids]);
    return this.has(id);
  }
}
