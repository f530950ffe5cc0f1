/** Follows the log: while its box is ticked, the lines are loaded again every few seconds. */
import { showLocalTimes } from "./local-time.js";

const EVERY_MS = 3000;

const box = document.getElementById("follow");
let timer = 0;

async function refresh() {
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const lines = page.getElementById("lines");
    if (answer.ok && lines && !document.querySelector("#lines details[open]")) {
      showLocalTimes(lines);
      document.getElementById("lines").replaceWith(lines);
    }
  } catch {
    // the server restarts; the next time may be better
  }
  if (box.checked) timer = setTimeout(refresh, EVERY_MS);
}

document.getElementById("follow-field").hidden = false;
box.addEventListener("change", () => {
  clearTimeout(timer);
  if (box.checked) refresh();
});
