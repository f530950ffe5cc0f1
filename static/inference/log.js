/** Follows the log: while its box is ticked, the lines are loaded again every few seconds. */
import { askPage, showState } from "./live-request.js";
import { showLocalTimes } from "./local-time.js";

const EVERY_MS = 3000;

const box = document.getElementById("follow");
let timer = 0;

async function refresh() {
  const place = document.getElementById("log-link");
  try {
    const lines = (await askPage(location.href)).getElementById("lines");
    if (!document.querySelector("#lines details[open]")) {
      showLocalTimes(lines);
      document.getElementById("lines").replaceWith(lines);
    }
    showState(place, null);
  } catch (error) {
    showState(place, error);
  }
  clearTimeout(timer); // of another refresh, begun by a click meanwhile
  if (box.checked) timer = setTimeout(refresh, EVERY_MS);
}

document.getElementById("follow-field").hidden = false;
box.addEventListener("change", () => {
  clearTimeout(timer);
  if (box.checked) refresh();
  else showState(document.getElementById("log-link"), null);
});
