/** The notice that is shown while the server cannot be reached. */

/** @param {import("./models.js").Models} models @param {HTMLElement} line always there, for screen readers */
export function showConnectionNotice(models, line) {
  models.addEventListener("change", () => {
    if (line.textContent !== models.lost) line.textContent = models.lost;
  });
}
