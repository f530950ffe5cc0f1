/** Saved system prompts: an account's are on the server, others in this browser. */
import { call } from "./api.js";
import { store } from "./store.js";

const KEY = "prompts";
const MOST = 200; // as on the server
const MOST_NAME = 100;
const NAME_LENGTH = 40;

/** @typedef {{id: number, name: string, text: string}} Prompt */

/** Fires "change" when the prompts are others than before. Its methods throw when nothing was saved. */
export class PromptLibrary extends EventTarget {
  /** @param {string} account empty for a visitor without one */
  constructor(account) {
    super();
    this.account = account;
    /** @type {Prompt[]} by name */
    this.all = account ? [] : ofBrowser();
    this.others = "BroadcastChannel" in window ? new BroadcastChannel("mlxsite.prompts") : null;
    this.others?.addEventListener("message", () => this.refresh());
  }

  async refresh() {
    const all = this.account ? await call("GET", "/chat/prompts/").then(({ prompts }) => prompts, () => null) : ofBrowser();
    if (all) this.#set(all);
  }

  /** @param {string} name */
  named(name) {
    return this.all.find((prompt) => prompt.name === name.trim());
  }

  /** @param {string} name @param {string} text */
  async add(name, text) {
    const made = this.account ? await call("POST", "/chat/prompts/", { name, text }) : { id: this.#freeId(), name, text };
    this.#change([...this.all, made]);
  }

  /** @param {Prompt} prompt @param {{name?: string, text?: string}} changes */
  async update(prompt, changes) {
    const changed = this.account ? await call("PATCH", `/chat/prompts/${prompt.id}/`, changes) : { ...prompt, ...changes };
    this.#change(this.all.map((one) => (one.id === prompt.id ? changed : one)));
  }

  /** @param {Prompt} prompt */
  async remove(prompt) {
    if (this.account) await call("DELETE", `/chat/prompts/${prompt.id}/`);
    this.#change(this.all.filter(({ id }) => id !== prompt.id));
  }

  /** @returns {number} how many prompts this browser keeps that are not in the account's library */
  get offered() {
    return this.account ? ofBrowser().length : 0;
  }

  /** Move the browser's prompts into the account's library; a name that is taken there gets a number. */
  async takeOffered() {
    await this.refresh();
    for (const { name, text } of ofBrowser()) {
      if (this.all.some((prompt) => prompt.name === name && prompt.text === text)) continue;
      await this.add(this.#freeName(name), text);
    }
    for (const key of [KEY, "presets"]) store.removeText(key);
    this.dispatchEvent(new Event("change"));
  }

  #freeName(name) {
    for (let number = 1; ; number += 1) {
      const free = number === 1 ? name : `${name.slice(0, MOST_NAME - 5)} ${number}`;
      if (!this.named(free)) return free;
    }
  }

  #freeId() {
    if (this.all.length >= MOST) throw new Error(`At most ${MOST} prompts can be saved; delete one first.`);
    return Math.max(0, ...this.all.map(({ id }) => id)) + 1;
  }

  #change(all) {
    if (!this.account && store.write(KEY, all) === null) throw new Error("This browser does not allow the page to store anything.");
    this.#set(all);
    this.others?.postMessage("changed");
  }

  #set(all) {
    this.all = all.toSorted((one, other) => one.name.localeCompare(other.name));
    this.dispatchEvent(new Event("change"));
  }
}

/** @returns {Prompt[]} those of this browser, with those that older versions of the page kept without names */
function ofBrowser() {
  const kept = store.read(KEY);
  if (Array.isArray(kept)) return kept;
  return (store.read("presets") ?? []).map((text, place) => ({ id: place + 1, name: shortened(text), text }));
}

const shortened = (text) => (text.length > NAME_LENGTH ? `${text.slice(0, NAME_LENGTH)}…` : text).replaceAll("\n", " ");
