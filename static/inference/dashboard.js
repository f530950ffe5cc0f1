/**
 * Keeps the top of the admin as true as the server: what changes arrives over one websocket, in the page's own
 * words. Without it, or without JavaScript, the page is what it was when it was made.
 */
import { element } from "../playground/element.js";
import { Chart } from "./chart.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const REFUSED = { 4401: "Sign in again to see this live.", 4403: "You may not see this any more." };

const board = document.getElementById("dashboard");
const find = (selector) => board.querySelector(selector);

/** @param {string} words what is said of the connection, and of what was asked */
const say = (words) => {
  find("#dashboard-link").textContent = words;
};

/** @param {HTMLElement} place @param {{text: string, tone?: string, percent?: number}} cell */
function fill(place, cell) {
  const bar = place.querySelector("progress");
  if (place.firstChild?.nodeType === Node.TEXT_NODE) {
    if (place.firstChild.data.trimEnd() !== cell.text) place.firstChild.data = cell.text;
  } else place.prepend(cell.text);
  if (cell.tone) place.dataset.tone = cell.tone;
  else delete place.dataset.tone;
  if (cell.percent === undefined) bar?.remove();
  else if (bar) bar.value = cell.percent;
  else place.append(element("progress", { max: 100, value: cell.percent, "aria-hidden": true }));
}

/** @param {{key: string, cells: {text: string}[]}} told @param {boolean} acts whether it has a button */
function makeRow(told, acts) {
  const row = element("tr", { data: { key: told.key } }, ...told.cells.map(() => element("td")));
  if (acts) {
    const label = `Stop the request to ${told.cells[0].text}`;
    row.append(element("td", {}, element("button", { name: "stream", value: told.key, "aria-label": label }, "Stop")));
  }
  return row;
}

/** Rows keep their elements, and so their focus, for as long as they last. */
function showRows(name, rows) {
  const table = find(`[data-rows="${name}"]`);
  const body = table.tBodies[0];
  const keys = new Set(rows.map((row) => row.key));
  const known = new Map();
  for (const row of [...body.rows]) {
    if (keys.has(row.dataset.key)) known.set(row.dataset.key, row);
    else row.remove();
  }
  rows.forEach((told, place) => {
    const row = known.get(told.key) ?? makeRow(told, "acts" in table.dataset);
    told.cells.forEach((cell, number) => fill(row.cells[number], cell));
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
    socket.addEventListener("message", (message) => this.hear(JSON.parse(message.data)));
    socket.addEventListener("close", (event) => this.lose(event.code));
  }

  /** @param {Record<string, any>} told the pieces of the page that changed */
  hear({ memory, hour, ...told }) {
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

  /** @param {number} code */
  lose(code) {
    this.isLive = false;
    if (code in REFUSED) {
      say(REFUSED[code]);
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
  say("Stopping the request…");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
    say(answer.ok ? "The request was stopped." : (told.error ?? "It could not be stopped; reload the page."));
    button.disabled = answer.ok;
  } catch {
    say("The server cannot be reached; try again.");
    button.disabled = false;
  }
}

if (board) {
  find("form").addEventListener("submit", stop);
  new Live().connect();
}
