/**
 * Keeps the admin's list of models live: a websocket sends the cells that change, as texts.
 * Without it the list shows the state at the time the page was loaded.
 */
import { refusal } from "../playground/refusal.js";

const RECONNECT_MS = 2000;

/** @param {string} kind @param {string} model */
const cell = (kind, model) => document.querySelector(`[data-${kind}="${CSS.escape(model)}"]`);

/** Show the state of the connection, empty while it works. @param {string} text */
const showState = (text) => {
  document.getElementById("models-link").textContent = text;
};

/** @param {MessageEvent<string>} message */
function show(message) {
  for (const { id, light, ...row } of JSON.parse(message.data).rows) {
    for (const [kind, text] of Object.entries(row)) {
      const place = cell(kind, id);
      if (place) place.textContent = text;
    }
    const lamp = cell("adapter", id)?.parentElement.querySelector("[data-light]");
    if (!lamp || !light) continue; // keep the last result while the model is not loaded
    lamp.dataset.light = light;
    lamp.textContent = light;
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws/models/list/`);
  socket.addEventListener("message", show);
  socket.addEventListener("close", ({ code }) => {
    const reason = refusal(code);
    if (reason) showState(reason);
    else setTimeout(connect, RECONNECT_MS);
  });
}

connect();
