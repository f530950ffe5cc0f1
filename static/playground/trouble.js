/** The line that says so while the page hears nothing from the server, or its model is gone. */

/** @param {import("./models.js").Models} models who know of it @param {HTMLElement} line always there, for screen readers */
export function showTrouble(models, line) {
  models.addEventListener("change", () => {
    if (line.textContent !== models.trouble) line.textContent = models.trouble;
  });
}
