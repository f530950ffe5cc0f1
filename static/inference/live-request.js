/** Requests with which a page of the admin keeps itself live, and why one cannot be answered now. */

const AWAY = "Not live: the server cannot be reached. Trying again…";
const SIGNED_OUT = "Not live: sign in again, here or in another tab.";
const FORBIDDEN = "Not live: you no longer have permission to view this.";

/** There is no answer now; the message says why. */
export class Lost extends Error {}

/** @param {string} path @returns {Promise<Response>} a successful response; throws Lost */
export async function ask(path) {
  const answer = await fetch(path, { redirect: "manual" }).catch(() => {
    throw new Lost(AWAY);
  });
  if (answer.type === "opaqueredirect") throw new Lost(SIGNED_OUT); // the admin redirects to its login page
  if (answer.status === 403) throw new Lost(FORBIDDEN);
  if (!answer.ok) throw new Lost(AWAY);
  return answer;
}

/** The page at an address as it is now; throws Lost. @param {string} path @returns {Promise<Document>} */
export async function askPage(path) {
  const answer = await ask(path);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

/** Show the state of the connection; empty while it works. @param {HTMLElement} place @param {?Error} error */
export function showState(place, error) {
  const text = error ? (error instanceof Lost ? error.message : AWAY) : "";
  if (place.textContent !== text) place.textContent = text;
}
