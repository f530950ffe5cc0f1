/** The account that this page belongs to, and whether its session goes on. */

const page = JSON.parse(document.querySelector("#page").textContent);

/** @type {{id: string, name: string}} "0" and no name for a visitor without an account */
export const account = { id: page.account_id, name: page.account };

/** Fires "ended" (detail: {reason, isReplaced}) when the server no longer takes this page for the account's. */
export const session = new EventTarget();

/** @param {string} reason a text for the visitor @param {boolean} isReplaced whether loading the page again helps: another account is signed in now */
export function endSession(reason, isReplaced) {
  session.dispatchEvent(new CustomEvent("ended", { detail: { reason, isReplaced } }));
}
