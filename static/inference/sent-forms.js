/** Sends each form of a page once for a double click: a second one would make a second key. */

const AGAIN_MS = 3000; // the page may stay, as after a download of a file

/** @type {WeakSet<HTMLElement>} the buttons whose forms are on their way */
const sent = new WeakSet();

document.addEventListener("submit", (event) => {
  const button = event.submitter ?? event.target;
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (sent.has(button)) return event.preventDefault();
  sent.add(button);
  setTimeout(() => sent.delete(button), AGAIN_MS);
});
