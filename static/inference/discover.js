/**
 * Completes the admin's page Discover: requests the verdict of each row that has none, a few at a time and those in
 * sight first, and shows the progress of downloads. Without this script each row has a link to its verdict.
 */
import { chatLink } from "./download-lines.js";
import { ask, askPage, showState } from "./live-request.js";

const AT_ONCE = 3;
const EVERY_MS = 1000;
const FAILED = "Whether it fits is unknown: the server did not answer. Load this page again.";

/**
 * @typedef {{text: string, tone: string, facts: string[], can_download: boolean, gated: string}} VerdictView
 * @typedef {{id: string, state: string, heading: string, text: string, percent: number, kind: string}} DownloadView
 */

const list = document.getElementById("discover");
/** @type {HTMLElement[]} rows whose verdict is to be requested */
const waiting = [];
let asking = 0;

/** @param {HTMLElement} row */
async function askVerdict(row) {
  const place = row.querySelector("[data-verdict]");
  try {
    const answer = await ask(`${list.dataset.verdicts}?${new URLSearchParams({ id: row.dataset.model })}`);
    showVerdict(row, place, await answer.json());
  } catch {
    place.textContent = FAILED;
    place.dataset.verdict = "unknown";
  }
}

/** @param {HTMLElement} row @param {HTMLElement} place @param {VerdictView} verdict */
function showVerdict(row, place, verdict) {
  place.textContent = verdict.text;
  place.dataset.verdict = verdict.tone;
  if (verdict.facts.length) row.querySelector("[data-facts]").textContent = verdict.facts.join(" · ");
  if (!verdict.can_download) row.querySelector("[data-acts] form")?.remove();
}

function askNext() {
  while (asking < AT_ONCE && waiting.length) {
    asking += 1;
    askVerdict(waiting.shift()).finally(() => { asking -= 1; askNext(); });
  }
}

const sight = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    sight.unobserve(target);
    waiting.push(target);
  }
  askNext();
}, { rootMargin: "200px" });

for (const row of list.querySelectorAll("[data-model]:has([data-verdict=asked])")) {
  row.querySelector("[data-verdict]").textContent = "Checking whether it fits…";
  sight.observe(row);
}

const running = () => [...list.querySelectorAll("[data-running]")];

/** Take what can be done with a model, and whether it is on its way, from a new page. @param {HTMLElement} row @param {DownloadView} [download] */
async function renew(row, download) {
  const page = await askPage(location.href);
  const found = [...page.querySelectorAll("[data-model]")].find(({ dataset }) => dataset.model === row.dataset.model);
  if (!found) return end(row, download); // the search has other results now, or none while the hub is away
  row.toggleAttribute("data-running", found.hasAttribute("data-running"));
  row.querySelector("[data-acts]").replaceWith(found.querySelector("[data-acts]"));
}

/** Say how a download ended. @param {HTMLElement} row @param {DownloadView} [download] none once it is discarded */
function end(row, download) {
  const text = document.createElement("p");
  text.textContent = download ? `${download.heading}. ${download.text}` : "Discarded.";
  const isForChats = download?.state === "done" && download.kind === "chat";
  row.querySelector("[data-acts]").replaceChildren(text, ...(isForChats ? [chatLink(row.dataset.model)] : []));
  row.removeAttribute("data-running");
}

async function poll() {
  const answer = await ask(list.dataset.progress);
  /** @type {{downloads: DownloadView[]}} */
  const { downloads } = await answer.json();
  for (const row of running()) {
    const download = downloads.find(({ id }) => id === row.dataset.model);
    if (download?.state !== "running") {
      await renew(row, download);
      continue;
    }
    row.querySelector("progress").value = download.percent;
    row.querySelector("[data-progress-text]").textContent = download.text;
  }
}

async function follow() {
  const place = document.getElementById("discover-link");
  try {
    if (!document.hidden && running().length) await poll();
    showState(place, null);
  } catch (error) {
    showState(place, error);
  }
  setTimeout(follow, EVERY_MS);
}

follow();
