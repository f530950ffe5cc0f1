/** What changes in the visitor's chats, pushed by the server: turns of other windows, titles, deletions, what answers. */
import { account, endSession } from "./account.js";
import { listen } from "./live-socket.js";

const SIGNED_OUT = 4401;

/**
 * Fires "messages" (detail: {conversation, newest}), "listed", "deleted" (detail: {conversation}), "title" (detail:
 * {conversation, title}), "answering" (detail: {conversations}), and "missed" when anything may have changed while the
 * page was not connected, as between its first look and its first connection.
 */
export class Changes extends EventTarget {
  constructor() {
    super();
    listen(`/ws/chats/?account=${account.id}`, {
      onMessage: (change) => this.#receive(change),
      onLost: (_, code) => { if (code === SIGNED_OUT) this.#endSession(); },
    });
  }

  #receive({ type, ...detail }) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** A page without an account is refused only once somebody has signed in. */
  #endSession() {
    if (account.id === "0") endSession("You have signed in since this page was opened. Your text is kept.", true);
    else endSession("You are signed out. Your text is kept: sign in to continue.", false);
  }
}
