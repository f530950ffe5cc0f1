/**
 * Keeps the top of the admin as true as the server: what changes arrives over one websocket, in the page's own
 * words. Without it, or without JavaScript, the page is what it was when it was made.
 */
import { element } from "../playground/element.js";
import { refusal } from "../playground/refusal.js";
import { Chart } from "./chart.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const TOLD_MS = 6000;
const LONGEST_SILENCE_MS = 20_000; // the server says something every five seconds

const board = document.getElementById("dashboard");
const find = (selector) => board.querySelector(selector);

let state = "";
let telling = 0;

/** @param {string} words what is said of the connection */
function say(words) {
  clearTimeout(telling);
  state = words;
  find("#dashboard-link").textContent = words;
}

/** @param {string} words what became of something that was asked, told for a while in the place of the state */
function tell(words) {
  clearTimeout(telling);
  find("#dashboard-link").textContent = words;
  telling = setTimeout(() => say(state), TOLD_MS);
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

/** @param {{key: string, cells: object[]}} told @param {string} [acts] the name of its button, if it has one */
function makeRow(told, acts) {
  const row = element("tr", { data: { key: told.key } }, ...told.cells.map(() => element("td")));
  if (acts) row.append(element("td"));
  return row;
}

/** @param {HTMLElement} place @param {string} name @param {{value: string, text: string, label: string}} [act] */
function fillAct(place, name, act) {
  if (place.firstChild?.value === act?.value) return;
  const button = act && element("button", { name, value: act.value, "aria-label": act.label }, act.text);
  place.replaceChildren(...(button ? [button] : []));
}

/** Rows keep their elements, and so their focus, for as long as they last. */
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
  rows.forEach((told, place) => {
    const row = known.get(told.key) ?? makeRow(told, acts);
    told.cells.forEach((cell, number) => fill(row.cells[number], cell));
    if (acts) fillAct(row.cells[told.cells.length], acts, told.act);
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
      if (socket === this.socket) this.hear(JSON.parse(message.data));
    });
    socket.addEventListener("close", (event) => {
      if (socket === this.socket) this.lose(event.code);
    });
    this.expect();
  }

  /** A connection that went away unheard, as in a computer's sleep, is not told of as closed for minutes. */
  expect() {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      this.socket.close();
      this.lose();
    }, LONGEST_SILENCE_MS);
  }

  /** @param {Record<string, any>} told the pieces of the page that changed */
  hear({ memory, hour, ...told }) {
    this.expect();
    if (!this.isLive) say("live");
    this.isLive = true;
    this.waitMs = FIRST_WAIT_MS;
    if (memory) showMemory(memory);
    if (hour) this.chart.add(hour);
    for (const [name, news] of Object.entries(told)) {
      if (Array.isArray(news)) showRows(name, news);
      else if (name !== "type") find(`[data-text="${name}"]`).textContent = news;
    }
  }

  /** @param {number} [code] of the server's or the browser's, none for a connection that fell silent */
  lose(code) {
    this.isLive = false;
    this.socket = null;
    clearTimeout(this.silence);
    const words = refusal(code);
    if (words) {
      say(words);
      return;
    }
    say("Not live: the server cannot be reached. Trying again…");
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
  tell("Stopping the request…");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
    // Who is signed out is led to the page for it, which is an answer too.
    const why = answer.redirected ? "Sign in again to stop it." : "It could not be stopped; reload the page.";
    tell(told.stopped ? "The request was stopped." : told.error || why);
    button.disabled = Boolean(told.stopped);
  } catch {
    tell("The server cannot be reached; try again.");
    button.disabled = false;
  }
}

if (board) {
  find(`[data-rows="streams"]`).closest("form").addEventListener("submit", stop);
  new Live().connect();
}
