/** The line that says so while whoever runs the server keeps what is said. */

/** @param {number} until unix time @returns {string} "14:30", with its day where that is not this one */
function moment(until) {
  const end = new Date(until * 1000);
  const day = end.toDateString() === new Date().toDateString() ? {} : { month: "short", day: "numeric" };
  return end.toLocaleString("en", { ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** @param {import("./models.js").Models} models who hear it from the server @param {HTMLElement} line */
export function showKept(models, line) {
  const show = () => {
    const words = models.keptUntil ? `Whoever runs this server keeps prompts and answers until ${moment(models.keptUntil)}.` : "";
    line.hidden = !words;
    if (line.textContent !== words) line.textContent = words;
  };
  models.addEventListener("change", show);
  show();
}
