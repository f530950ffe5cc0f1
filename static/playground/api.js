/** The site's own addresses for conversations: JSON in and out, and answers as server-sent events. */

import { account, endSession } from "./account.js";
import { waiting } from "./waiting.js";

/** What a request that did not reach the server is answered with. */
export const UNREACHED = "The server cannot be reached. Is it still running?";

const CSRF_COOKIE = /(?:^|; )mlxsite_csrf=([^;]+)/;

/** An error with a message for the visitor. */
export class AnswerError extends Error {
  /** @param {string} code @param {string} message text for the visitor @param {number} status @param {string} param the field that was refused */
  constructor(code, message, status = 0, param = "") {
    super(message);
    this.param = param;
    this.code = code;
    this.status = status;
  }
}

/**
 * @param {"GET" | "POST" | "PATCH" | "DELETE"} method
 * @param {string} address
 * @param {object | Blob} [body] JSON, or a file as it is
 * @param {AbortSignal} [signal] throws an AbortError after it
 * @returns {Promise<any>} the JSON response; throws an AnswerError for an error response
 */
export async function call(method, address, body, signal) {
  const done = isAct(method, address) ? waiting.begin() : () => {};
  try {
    const response = await send(method, address, { body: body instanceof Blob ? body : body && JSON.stringify(body), signal });
    return await response.json();
  } finally {
    done();
  }
}

/** Whether a request is one that somebody waits for: what they did, or a chat that they opened. */
const isAct = (method, address) => (method === "GET" ? /^\/chat\/conversations\/[^?]/.test(address) : !address.startsWith("/v1/"));

/**
 * Yield an answer's events as they come, down to the whole answer at the end.
 * Throws an AnswerError when the connection is lost; an AbortError after `signal`.
 * @param {string} address
 * @param {AbortSignal} signal
 */
export async function* follow(address, signal) {
  const response = await send("GET", address, { signal });
  yield* events(response.body);
}

async function send(method, address, { body, signal }) {
  const headers = { "X-CSRFToken": csrfToken(), "X-Account": account.id, ...(body ? { "Content-Type": body instanceof Blob ? "application/octet-stream" : "application/json" } : {}) };
  let response;
  try {
    response = await fetch(address, { method, headers, body, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AnswerError("unreachable", UNREACHED);
  }
  if (!response.ok) throw await responseError(response);
  return response;
}

/** The cookie's: it is another one than the page was made with after a sign-in in another window. */
function csrfToken() {
  return CSRF_COOKIE.exec(document.cookie)?.[1] ?? document.querySelector("#composer [name=csrfmiddlewaretoken]").value;
}

async function responseError(response) {
  const { status } = response;
  const answer = await response.json().catch(() => null);
  if (status === 401) endSession(answer?.error?.message ?? "You are signed out.", answer?.error?.param === "account");
  if (answer?.error?.message) return new AnswerError(answer.error.code, answer.error.message, status, answer.error.param ?? "");
  if (status === 403) {
    endSession("This page is out of date. Your text is kept.", true); // its cookies are gone
    return new AnswerError("forbidden", "This page is out of date. Please reload it.", status);
  }
  return new AnswerError("refused", `The server returned an error (${status}).`, status);
}

/** The JSON of each `data:` line; the server sends one line per event. */
async function* events(body) {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await read(reader);
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.startsWith("data: ")) yield JSON.parse(line.slice(6));
  }
}

async function read(reader) {
  try {
    return await reader.read();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AnswerError("connection_lost", "The connection to the server was lost.");
  }
}
