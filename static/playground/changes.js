/** What changes in the visitor's chats, pushed by the server: turns of other windows, titles, deletions. */
import { account, endSession } from "./account.js";

const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const SIGNED_OUT = 4401;

/**
 * Fires "messages" (detail: {conversation, newest}), "listed" and "deleted" (detail: {conversation}), and "missed" when
 * anything may have changed while the page was not connected.
 */
export class Changes extends EventTarget {
  constructor() {
    super();
    this.failures = 0;
    this.hasListened = false;
    this.#connect();
  }

  #connect() {
    const url = new URL(`/ws/chats/?account=${account.id}`, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => this.#lose(code));
  }

  #receive({ type, ...detail }) {
    this.failures = 0;
    const isFirst = !this.hasListened;
    this.hasListened = true;
    if (isFirst && type === "missed") return; // the page has only just loaded everything
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** A page without an account is refused only once somebody has signed in. */
  #endSession() {
    if (account.id === "0") endSession("You have signed in since this page was opened. Your text is kept.", true);
    else endSession("You are signed out. Your text is kept: sign in to go on.", false);
  }

  #lose(code) {
    if (code === SIGNED_OUT) this.#endSession();
    if (code >= 4400 && code < 4500) return; // it would refuse again
    setTimeout(() => this.#connect(), RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]);
    this.failures += 1;
  }
}
