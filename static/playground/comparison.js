/** Comparing models: the button that opens the choice, and the line that says which are asked, with a way out. */

/** A model's id without its owner. @param {string} id */
const shortName = (id) => id.slice(id.lastIndexOf("/") + 1);

/** @param {import("./models.js").Models} models @param {() => void} onChosen */
export function offerComparison(models, onChosen) {
  const bar = document.querySelector("#comparing");
  const line = bar.querySelector("p");
  let choice = null;
  const open = async () => {
    const { ComparisonChoice } = await import("./comparison-choice.js"); // few visits need it
    choice ??= new ComparisonChoice(models, onChosen);
    choice.open();
  };
  const buttons = document.querySelectorAll(".comparison-open");
  const show = () => {
    const { all, compared } = models;
    for (const button of buttons) button.hidden = all.length < 2;
    const text = compared.length ? `Your next questions go to ${compared.length} models: ${compared.map(shortName).join(", ")}.` : "";
    bar.hidden = !text;
    if (line.textContent !== text) line.textContent = text;
  };
  for (const button of buttons) button.addEventListener("click", open);
  bar.querySelector("button").addEventListener("click", () => { models.compare([]); onChosen(); });
  models.addEventListener("change", show);
  show();
}
