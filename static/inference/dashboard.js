/**
 * Keeps the dashboard live: one websocket sends the parts of the page that change, with the page's own texts.
 * Without it, or without JavaScript, the page shows the state at the time it was loaded.
 */
import { element } from "../playground/element.js";
import { refusal } from "../playground/refusal.js";
import { Chart } from "./chart.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const MESSAGE_MS = 6000;
const LONGEST_SILENCE_MS = 20_000; // the server sends a message every five seconds

const board = document.getElementById("dashboard");
const find = (selector) => board.querySelector(selector);

let state = "";
let messageTimer = 0;

/** Show the state of the connection. @param {string} text */
function showState(text) {
  clearTimeout(messageTimer);
  state = text;
  find("#dashboard-link").textContent = text;
}

/** Show the outcome of an action for some seconds, in place of the state. @param {string} text */
function showMessage(text) {
  clearTimeout(messageTimer);
  find("#dashboard-link").textContent = text;
  messageTimer = setTimeout(() => showState(state), MESSAGE_MS);
}

/** @param {HTMLElement} place @param {{text: string, note?: string, tone?: string, percent?: number}} cell */
function fill(place, cell) {
  const bar = place.querySelector("progress");
  const note = place.querySelector("small");
  if (place.firstChild?.nodeType === Node.TEXT_NODE) {
    if (place.firstChild.data.trimEnd() !== cell.text) place.firstChild.data = cell.text;
  } else place.prepend(cell.text);
  if (!cell.note) note?.remove();
  else if (!note) place.append(" ", element("small", {}, cell.note));
  if (cell.tone) place.dataset.tone = cell.tone;
  else delete place.dataset.tone;
  if (cell.percent === undefined) bar?.remove();
  else if (bar) bar.value = cell.percent;
  else place.append(element("progress", { max: 100, value: cell.percent, "aria-hidden": true }));
}

/** @param {{key: string, cells: object[]}} data @param {string} [acts] the name of its button, if it has one */
function makeRow(data, acts) {
  const row = element("tr", { data: { key: data.key } }, ...data.cells.map(() => element("td")));
  if (acts) row.append(element("td"));
  return row;
}

/** @param {HTMLElement} place @param {string} name @param {{value: string, text: string, label: string}} [act] */
function fillAct(place, name, act) {
  if (place.firstChild?.value === act?.value) return;
  const button = act && element("button", { name, value: act.value, "aria-label": act.label }, act.text);
  place.replaceChildren(...(button ? [button] : []));
}

/** Rows keep their elements, and so the focus, as long as they exist. */
function showRows(name, rows) {
  const table = find(`[data-rows="${name}"]`);
  const body = table.tBodies[0];
  const { acts } = table.dataset;
  const keys = new Set(rows.map((row) => row.key));
  const known = new Map();
  for (const row of [...body.rows]) {
    if (keys.has(row.dataset.key)) known.set(row.dataset.key, row);
    else row.remove();
  }
  rows.forEach((data, place) => {
    const row = known.get(data.key) ?? makeRow(data, acts);
    data.cells.forEach((cell, number) => fill(row.cells[number], cell));
    if (acts) fillAct(row.cells[data.cells.length], acts, data.act);
    if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null);
  });
}

/** @param {{name: string, x: number, width: number, text: string}[]} parts */
function showMemory(parts) {
  for (const { name, x, width, text } of parts) {
    const piece = find(`rect[data-part="${name}"]`);
    piece.setAttribute("x", x);
    piece.setAttribute("width", width);
    find(`li[data-part="${name}"]`).textContent = text;
  }
}

class Live {
  constructor() {
    this.chart = new Chart(find("#chart"));
    this.waitMs = FIRST_WAIT_MS;
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/ws/dashboard/?since=${this.chart.lastAt}`);
    this.socket = socket;
    socket.addEventListener("message", (message) => {
      if (socket === this.socket) this.receive(JSON.parse(message.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.socket) this.lose(event.code);
    });
    this.expect();
  }

  /** Browsers may report a lost connection only after minutes, for example after sleep; a silent one counts as lost. */
  expect() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.socket.close();
      this.lose();
    }, LONGEST_SILENCE_MS);
  }

  /** @param {Record<string, any>} message the parts of the page that changed */
  receive({ memory, hour, ...parts }) {
    this.expect();
    if (!this.isLive) showState("live");
    this.isLive = true;
    this.waitMs = FIRST_WAIT_MS;
    if (memory) showMemory(memory);
    if (hour) this.chart.add(hour);
    for (const [name, value] of Object.entries(parts)) {
      if (Array.isArray(value)) showRows(name, value);
      else if (name !== "type") find(`[data-text="${name}"]`).textContent = value;
    }
  }

  /** @param {number} [code] of the server's or the browser's, none for a connection without messages */
  lose(code) {
    this.isLive = false;
    this.socket = null;
    clearTimeout(this.silence);
    const reason = refusal(code);
    if (reason) {
      showState(reason);
      return;
    }
    showState("Not live: the server cannot be reached. Trying again…");
    setTimeout(() => this.connect(), this.waitMs * (0.75 + Math.random() / 2));
    this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 2);
  }
}

/** @param {SubmitEvent} event */
async function stop(event) {
  event.preventDefault();
  const { target: form, submitter: button } = event;
  const body = new FormData(form);
  body.set("stream", button.value);
  button.disabled = true;
  showMessage("Stopping the request…");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const result = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
    // A user who is signed out is redirected to the login page, which is also a response.
    const reason = answer.redirected ? "Sign in again to stop it." : "It could not be stopped; reload the page.";
    showMessage(result.stopped ? "The request was stopped." : result.error || reason);
    button.disabled = Boolean(result.stopped);
  } catch {
    showMessage("The server cannot be reached; try again.");
    button.disabled = false;
  }
}

if (board) {
  find(`[data-rows="streams"]`).closest("form").addEventListener("submit", stop);
  new Live().connect();
}
