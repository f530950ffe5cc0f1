/** The site's chat stream: one POST, answered by server-sent events. */

/** What the asker is told when there is no answer. */
export class AnswerError extends Error {
  /** @param {string} code @param {string} message words for the asker */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Ask, and yield the answer's events as they come; the last one is `finished`.
 * Throws an AnswerError when the server says no, fails or falls silent; an AbortError after `signal`.
 * @param {string} address
 * @param {object} question
 * @param {AbortSignal} signal
 */
export async function* ask(address, question, signal) {
  const response = await post(address, question, signal);
  if (!response.ok) throw await refusal(response);
  let isWhole = false;
  for await (const event of events(response.body)) {
    if (event.type === "error") throw new AnswerError(event.code, event.message);
    isWhole = event.type === "finished";
    yield event;
  }
  if (!isWhole) throw new AnswerError("connection_lost", "The connection ended in the middle of the answer.");
}

async function post(address, question, signal) {
  const token = document.querySelector("#composer [name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  try {
    return await fetch(address, { method: "POST", headers, body: JSON.stringify(question), signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new AnswerError("unreachable", "The server cannot be reached. Is it still running?");
  }
}

async function refusal(response) {
  const answer = await response.json().catch(() => null);
  if (answer?.error?.message) return new AnswerError(answer.error.code, answer.error.message);
  if (response.status === 403) return new AnswerError("forbidden", "This page is out of date. Please reload it.");
  return new AnswerError("refused", `The server could not answer (${response.status}).`);
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
