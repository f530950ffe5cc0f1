/**
 * Keeps the admin's list of models as true as the pool itself: what changes arrives over a websocket, in words.
 * Without it the list is what it was when the page was made.
 */
import { refusal } from "../playground/refusal.js";

const RECONNECT_MS = 2000;

/** @param {string} kind @param {string} model */
const cell = (kind, model) => document.querySelector(`[data-${kind}="${CSS.escape(model)}"]`);

/** @param {string} words what is said of the connection, empty while there is nothing to say */
const say = (words) => {
  document.getElementById("models-link").textContent = words;
};

/** @param {MessageEvent<string>} message */
function show(message) {
  for (const { id, light, ...row } of JSON.parse(message.data).rows) {
    for (const [kind, words] of Object.entries(row)) {
      const place = cell(kind, id);
      if (place) place.textContent = words;
    }
    const lamp = cell("adapter", id)?.parentElement.querySelector("[data-light]");
    if (!lamp || !light) continue; // what was found last stays, also when nothing is loaded
    lamp.dataset.light = light;
    lamp.textContent = light;
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws/models/list/`);
  socket.addEventListener("message", show);
  socket.addEventListener("close", ({ code }) => {
    const why = refusal(code);
    if (why) say(why);
    else setTimeout(connect, RECONNECT_MS);
  });
}

connect();
