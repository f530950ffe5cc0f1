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

/** @param {{rows: {id: string, self_test: string, tone: string, can_load: boolean, can_unload: boolean}[]}} message */
function show({ rows }) {
  for (const { id, self_test: words, tone, can_load: canLoad, can_unload: canUnload, ...texts } of rows) {
    for (const [kind, text] of Object.entries(texts)) {
      const place = cell(kind, id);
      if (place) place.textContent = text;
    }
    for (const [kind, isShown] of [["load", canLoad], ["unload", canUnload]]) {
      const button = cell(kind, id);
      if (button) button.hidden = !isShown;
    }
    const test = cell("self-test", id);
    if (!test || !words) continue; // keep the last result while the model is not loaded
    test.dataset.tone = tone;
    test.textContent = words;
  }
}

listen("/ws/models/list/", { onMessage: show, onLost: (reason) => { if (reason) showState(reason); } });
