/** Why the server closed a websocket for good: it would do so again, so there is no sense in coming back. */

const WORDS = {
  4401: "You are signed out; reload the page to sign in again.",
  4403: "Your account may not see this any more.",
  4429: "Too many pages are open; close one and reload.",
};

/** @param {number} code @returns {string} what to say of it; empty where the connection was only lost */
export function refusal(code) {
  const isForGood = code >= 4400 && code < 4500;
  return isForGood ? WORDS[code] ?? "The server closed this connection; reload the page." : "";
}
