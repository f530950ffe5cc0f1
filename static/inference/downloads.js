/**
 * Keeps the admin's page about downloads true: asks every second what is there of each file. When a download comes,
 * goes or ends, the page itself is asked again and its list taken over, so that it is written in one place alone.
 * Without it the page is what it was when it was made.
 */

const EVERY_MS = 1000;

/**
 * @typedef {{name: string, amount: string, percent: number}} FileSight
 * @typedef {{id: string, state: string, told: string, percent: number, files: FileSight[]}} Sight
 */

const list = () => document.getElementById("downloads");

/** @param {HTMLElement} article @param {Sight} sight */
const isOf = (article, sight) =>
  article.dataset.download === sight.id &&
  article.dataset.state === sight.state &&
  article.dataset.files === String(sight.files.length);

/** @param {Element} place @param {number} percent */
const setBar = (place, percent) => {
  place.querySelector("[data-percent]").value = percent;
};

/** @param {HTMLElement} article @param {Sight} sight */
function update(article, sight) {
  article.querySelector("[data-told]").textContent = sight.told;
  if (!sight.files.length) return;
  setBar(article, sight.percent);
  article.querySelectorAll("[data-file]").forEach((row, place) => {
    setBar(row, sight.files[place].percent);
    row.querySelector("[data-amount]").textContent = sight.files[place].amount;
  });
}

/** Take over the list of a page made now; the form above it keeps what is being typed. */
async function remake() {
  const answer = await fetch(location.pathname);
  const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("downloads");
  if (made) list().replaceWith(made);
}

async function look() {
  const answer = await fetch(list().dataset.progress);
  /** @type {{downloads: Sight[]}} */
  const { downloads } = await answer.json();
  const articles = [...list().querySelectorAll("[data-download]")];
  const isSame = articles.length === downloads.length && articles.every((one, place) => isOf(one, downloads[place]));
  if (!isSame) await remake();
  else articles.forEach((one, place) => update(one, downloads[place]));
}

async function follow() {
  // A site that is away for a moment is asked again; a hidden page asks nobody.
  if (!document.hidden) await look().catch(() => {});
  setTimeout(follow, EVERY_MS);
}

follow();
