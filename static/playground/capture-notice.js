/** The notice that is shown while a capture stores prompts and answers. */

/** @param {number} until unix time @returns {string} "14:30", with its day where that is not this one */
function endText(until) {
  const end = new Date(until * 1000);
  const day = end.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return end.toLocaleString("en", { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** @param {import("./models.js").Models} models @param {HTMLElement} line */
export function showCaptureNotice(models, line) {
  const show = () => {
    const text = models.keptUntil ? `This server stores prompts and answers until ${endText(models.keptUntil)}.` : "";
    line.hidden = !text;
    if (line.textContent !== text) line.textContent = text;
  };
  models.addEventListener("change", show);
  show();
}
