/** Why the server closed a websocket for good: it would do so again, so the page does not reconnect. */

const REASONS = {
  4401: "You are signed out; reload the page to sign in again.",
  4403: "Your account no longer has permission to view this.",
  4429: "Too many pages are open; close one and reload.",
};

/** @param {number} code @returns {string} the reason; empty if the connection was only lost */
export function refusal(code) {
  const isForGood = code >= 4400 && code < 4500;
  return isForGood ? REASONS[code] ?? "The server closed this connection; reload the page." : "";
}
