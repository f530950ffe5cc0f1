/**
 * Sends a GGUF file to the server in parts, since a request's body is bounded. The server says how many bytes it has, so
 * an upload goes on after a broken connection, and after a reload once the same file is chosen again.
 */
import { size as sizeOf } from "../playground/format.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;
const PASSING = new Set([408, 429, 500, 502, 503, 504]);
const AWAY = "The server cannot be reached.";
const CHANGED = "The file can no longer be read. Choose it again.";

/** @typedef {{name: string, size: number, modified: number, received: number}} Upload */

/** The server refuses, or the file is gone: another try would end the same. */
class Refused extends Error {}

/** The connection or the server fails for now. */
class Lost extends Error {}

const form = document.getElementById("upload");

/** @type {AbortController | null} */
let running = null;

/** @param {string} path @param {BodyInit} body @param {string} type @param {AbortSignal} signal @returns {Promise<Upload>} */
async function post(path, body, type, signal) {
  const headers = { "Content-Type": type, "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(path, { method: "POST", body, headers, signal }).catch((error) => {
    throw signal.aborted ? error : new Lost(AWAY);
  });
  const upload = await answer.json().catch(() => null);
  if (answer.ok && upload) return upload;
  const isPassing = answer.ok || PASSING.has(answer.status) || upload?.error?.param === "offset";
  if (isPassing) throw new Lost(upload?.error?.message ?? AWAY);
  throw new Refused(upload?.error?.message ?? `Refused with status ${answer.status}, perhaps by a proxy.`);
}

/** @param {File} file */
const identity = (file) => ({ name: file.name, size: file.size, modified: file.lastModified });

/** Begin, or go on where an earlier try has ended. @param {File} file @param {AbortSignal} signal */
const open = (file, signal) =>
  post(form.dataset.address, JSON.stringify(identity(file)), "application/json", signal);

/** @param {File} file @param {number} offset @param {AbortSignal} signal */
async function sendPart(file, offset, signal) {
  const slice = file.slice(offset, offset + Number(form.dataset.partBytes));
  const part = await slice.arrayBuffer().catch(() => {
    throw new Refused(CHANGED);
  });
  const query = new URLSearchParams({ ...identity(file), offset });
  return post(`${form.dataset.address}/part?${query}`, part, "application/octet-stream", signal);
}

/** @param {File} file @param {AbortSignal} signal */
async function send(file, signal) {
  let wait = FIRST_WAIT_MS;
  for (;;) {
    try {
      let upload = await open(file, signal);
      while (upload.received < file.size) {
        showProgress(upload);
        upload = await sendPart(file, upload.received, signal);
        wait = FIRST_WAIT_MS;
      }
      return;
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      showState(`${error.message} Trying again…`);
      await pause(wait, signal);
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }
}

/** @param {number} ms @param {AbortSignal} signal */
const pause = (ms, signal) =>
  new Promise((done, fail) => {
    setTimeout(done, ms);
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
  });

/** @param {Upload} upload */
function showProgress({ name, size, received }) {
  form.querySelector("progress").value = (100 * received) / size;
  const percent = Math.floor((100 * received) / size);
  showState(`${name}: ${percent} % of ${sizeOf(size)}`);
}

/** @param {string} text */
function showState(text) {
  const place = form.querySelector("[data-state]");
  if (place.textContent !== text) place.textContent = text;
}

/** Show the lists as the server has them now. */
async function refresh() {
  const answer = await fetch(location.pathname, { redirect: "manual" }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const id of ["gguf-files", "gguf-uploads"]) {
    const part = page.getElementById(id);
    if (part) document.getElementById(id).replaceWith(part);
  }
}

/** @param {boolean} isRunning */
function showRunning(isRunning) {
  form.querySelector("[type=submit]").hidden = isRunning;
  form.querySelector("[data-stop]").hidden = !isRunning;
  form.querySelector("progress").hidden = !isRunning;
  form.querySelector("[type=file]").disabled = isRunning;
}

/** @param {File} file */
async function upload(file) {
  running = new AbortController();
  showRunning(true);
  try {
    await send(file, running.signal);
    showState(`${file.name} was uploaded. Import it above.`);
    form.reset();
  } catch (error) {
    const isStopped = running.signal.aborted;
    showState(isStopped ? "Stopped. The uploaded part is kept; choose the same file to continue." : error.message);
  } finally {
    running = null;
    showRunning(false);
  }
  await refresh();
}

if (form) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [file] = form.querySelector("[type=file]").files;
    if (file && !running) upload(file);
  });
  form.querySelector("[data-stop]").addEventListener("click", () => running?.abort());
  addEventListener("beforeunload", (event) => {
    if (running) event.preventDefault();
  });
}
