/**
 * Completes the admin's page Discover: requests the verdict of each row that has none, a few at a time and those in
 * sight first, and shows the progress of downloads. Without this script each row has a link to its verdict.
 */

const AT_ONCE = 3;
const EVERY_MS = 1000;
const AWAY = "Not live: the server cannot be reached. Trying again…";
const FAILED = "Whether it fits is unknown: the server did not answer.";

/**
 * @typedef {{text: string, tone: string, facts: string[], can_download: boolean, gated: string}} VerdictView
 * @typedef {{id: string, state: string, text: string, percent: number}} DownloadView
 */

const list = document.getElementById("discover");
/** @type {HTMLElement[]} rows whose verdict is to be requested */
const waiting = [];
let asking = 0;

/** @param {HTMLElement} row */
async function askVerdict(row) {
  const place = row.querySelector("[data-verdict]");
  try {
    const answer = await fetch(`${list.dataset.verdicts}?${new URLSearchParams({ id: row.dataset.model })}`, { redirect: "manual" });
    if (!answer.ok) throw new Error(FAILED);
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

/** Take what can be done with a model, and whether it is on its way, from a new page. @param {HTMLElement} row */
async function renew(row) {
  const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
  const found = [...page.querySelectorAll("[data-model]")].find(({ dataset }) => dataset.model === row.dataset.model);
  if (!found) return;
  row.toggleAttribute("data-running", found.hasAttribute("data-running"));
  row.querySelector("[data-acts]").replaceWith(found.querySelector("[data-acts]"));
}

async function poll() {
  const answer = await fetch(list.dataset.progress, { redirect: "manual" });
  if (!answer.ok) throw new Error(AWAY);
  /** @type {{downloads: DownloadView[]}} */
  const { downloads } = await answer.json();
  for (const row of running()) {
    const download = downloads.find(({ id }) => id === row.dataset.model);
    if (download?.state !== "running") {
      await renew(row);
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
    place.textContent = "";
  } catch {
    place.textContent = AWAY;
  }
  setTimeout(follow, EVERY_MS);
}

follow();
