/**
 * Keeps the admin's list of models as true as the pool itself: the states arrive over the site's websocket.
 * Without it the list is what it was when the page was made.
 */
import { refusal } from "../playground/refusal.js";

const RECONNECT_MS = 2000;

/** @param {string} kind @param {string} model */
const cell = (kind, model) => document.querySelector(`[data-${kind}="${CSS.escape(model)}"]`);

/** @param {{state: string, loaded_percent: number, reason: string}} model */
function words(model) {
  if (model.state === "loading") return `loading ${model.loaded_percent} %`;
  return model.reason ? `${model.state}: ${model.reason}` : model.state;
}

/** @param {string} words what is said of the connection, empty while there is nothing to say */
const say = (words) => {
  document.getElementById("models-link").textContent = words;
};

/** @param {MessageEvent<string>} message */
function show(message) {
  for (const model of JSON.parse(message.data).models) {
    const state = cell("state", model.id);
    if (state) state.textContent = words(model);
    const memory = cell("memory", model.id);
    if (memory) memory.textContent = model.held_bytes ? `${(model.held_bytes / 1e9).toFixed(1)} GB` : "–";
    const streams = cell("streams", model.id);
    if (streams) streams.textContent = String(model.streams);
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}/ws/models/`);
  socket.addEventListener("message", show);
  socket.addEventListener("close", ({ code }) => {
    const why = refusal(code);
    if (why) say(why);
    else setTimeout(connect, RECONNECT_MS);
  });
}

connect();
