/**
 * Keeps the admin's page about downloads true: asks every second what is there of each file. When a download comes,
 * goes or ends, the page itself is asked again and its list taken over, so that it is written in one place alone.
 * Without it the page is what it was when it was made; a site that is lost is told of, and asked again.
 */

const EVERY_MS = 1000;
const AWAY = "Not live: the server cannot be reached. Trying again…";
const SIGNED_OUT = "Not live: sign in again, here or in another tab, to see how far they are.";
const FORBIDDEN = "Not live: you may not see this any more.";

/**
 * @typedef {{name: string, amount: string, percent: number}} FileSight
 * @typedef {{id: string, state: string, told: string, percent: number, files: FileSight[]}} Sight
 */

/** Nothing can be learned of the site now; the message says why. */
class Lost extends Error {}

let isLost = false;

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

/** @param {string} words what is said of the connection; nothing while all is well */
function say(words) {
  const place = document.getElementById("downloads-link");
  if (place.textContent !== words) place.textContent = words;
}

/** @param {string} path @returns {Promise<Response>} a good answer; raises Lost */
async function ask(path) {
  const answer = await fetch(path, { redirect: "manual" }).catch(() => {
    throw new Lost(AWAY);
  });
  if (answer.type === "opaqueredirect") throw new Lost(SIGNED_OUT); // the admin's way to its sign-in page
  if (answer.status === 403) throw new Lost(FORBIDDEN);
  if (!answer.ok) throw new Lost(AWAY);
  return answer;
}

/** Take over the list of a page made now; the form above it keeps what is being typed. */
async function remake() {
  const answer = await ask(location.pathname);
  const made = new DOMParser().parseFromString(await answer.text(), "text/html");
  list().replaceWith(made.getElementById("downloads"));
  // Who signed in again has a new one, and the form above would be refused.
  const token = made.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const field of token ? document.querySelectorAll("[name=csrfmiddlewaretoken]") : []) field.value = token;
}

async function look() {
  const answer = await ask(list().dataset.progress);
  /** @type {{downloads: Sight[]}} */
  const { downloads } = await answer.json();
  const articles = [...list().querySelectorAll("[data-download]")];
  const isSame = articles.length === downloads.length && articles.every((one, place) => isOf(one, downloads[place]));
  if (isLost || !isSame) await remake();
  else articles.forEach((one, place) => update(one, downloads[place]));
}

async function follow() {
  try {
    if (!document.hidden) {
      await look(); // a hidden page asks nobody
      isLost = false;
      say("");
    }
  } catch (error) {
    isLost = true;
    say(error instanceof Lost ? error.message : AWAY);
  }
  setTimeout(follow, EVERY_MS);
}

follow();
