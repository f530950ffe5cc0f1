/**
 * Keeps the admin's list of models live: a websocket sends the cells that change, as texts.
 * Without it the list shows the state at the time the page was loaded.
 */
import { listen } from "../playground/live-socket.js";

/** @param {string} kind @param {string} model */
const cell = (kind, model) => document.querySelector(`[data-${kind}="${CSS.escape(model)}"]`);

/** Show the state of the connection, empty while it works. @param {string} text */
const showState = (text) => {
  document.getElementById("models-link").textContent = text;
};

/** @param {{rows: Record<string, string>[]}} message */
function show({ rows }) {
  for (const { id, light, ...row } of rows) {
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

listen("/ws/models/list/", { onMessage: show, onLost: (reason) => { if (reason) showState(reason); } });
