/**
 * Keeps the admin's downloads page live: requests the progress of each file every second. When a download starts, ends
 * or is discarded, it loads the page again and replaces its list, so that only the template renders it. Without this
 * script the page shows the state at the time it was loaded. If the site cannot be reached, a notice is shown.
 */

import { ask, askPage, showState } from "./live-request.js";

const EVERY_MS = 1000;

/**
 * @typedef {{name: string, amount: string, percent: number}} FileView
 * @typedef {{id: string, state: string, text: string, percent: number, files: FileView[]}} DownloadView
 */

let isLost = false;

const list = () => document.getElementById("downloads");

/** @param {HTMLElement} article @param {DownloadView} view */
const isOf = (article, view) =>
  article.dataset.download === view.id &&
  article.dataset.state === view.state &&
  article.dataset.files === String(view.files.length);

/** @param {Element} place @param {number} percent */
const setBar = (place, percent) => {
  place.querySelector("[data-percent]").value = percent;
};

/** @param {HTMLElement} article @param {DownloadView} view */
function update(article, view) {
  article.querySelector("[data-text]").textContent = view.text;
  if (!view.files.length) return;
  setBar(article, view.percent);
  article.querySelectorAll("[data-file]").forEach((row, place) => {
    setBar(row, view.files[place].percent);
    row.querySelector("[data-amount]").textContent = view.files[place].amount;
  });
}

/** Replace the list by that of a new page; the form above it keeps its input. */
async function reload() {
  const page = await askPage(location.pathname);
  list().replaceWith(page.getElementById("downloads"));
  // A user who signed in again has a new token, without which the form above would be rejected.
  const token = page.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const field of token ? document.querySelectorAll("[name=csrfmiddlewaretoken]") : []) field.value = token;
}

async function poll() {
  const answer = await ask(list().dataset.progress);
  /** @type {{downloads: DownloadView[]}} */
  const { downloads } = await answer.json();
  const articles = [...list().querySelectorAll("[data-download]")];
  const isSame = articles.length === downloads.length && articles.every((one, place) => isOf(one, downloads[place]));
  if (isLost || !isSame) await reload();
  else articles.forEach((one, place) => update(one, downloads[place]));
}

async function follow() {
  const place = document.getElementById("downloads-link");
  try {
    if (!document.hidden) {
      await poll(); // a hidden page sends no requests
      isLost = false;
      showState(place, null);
    }
  } catch (error) {
    isLost = true;
    showState(place, error);
  }
  setTimeout(follow, EVERY_MS);
}

follow();
