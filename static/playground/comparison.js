/** Comparing models: the button that opens the choice, and the line that says which are asked, with a way out. */

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
  const show = () => {
    const { compared } = models;
    const text = compared.length ? `Your next questions go to ${compared.length} models: ${compared.join(", ")}.` : "";
    bar.hidden = !text;
    if (line.textContent !== text) line.textContent = text;
  };
  for (const button of document.querySelectorAll(".comparison-open")) button.addEventListener("click", open);
  bar.querySelector("button").addEventListener("click", () => { models.compare([]); onChosen(); });
  models.addEventListener("change", show);
  show();
}
