/** The line that says so while the page hears nothing from the server. */

/** @param {import("./models.js").Models} models who hear it from the server @param {HTMLElement} line always there, for screen readers */
export function showConnection(models, line) {
  models.addEventListener("change", () => {
    if (line.textContent !== models.trouble) line.textContent = models.trouble;
  });
}
