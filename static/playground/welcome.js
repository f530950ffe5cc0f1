/** The content of an empty conversation. */
import { size } from "./format.js";
import { phaseText } from "./load-phases.js";

export class Welcome {
  /** @param {import("./models.js").Models} models @param {(text: string) => void} onExample */
  constructor(models, onExample) {
    this.models = models;
    this.root = document.querySelector("#welcome");
    this.load = this.root.querySelector("#welcome-load");
    this.root.addEventListener("click", ({ target }) => {
      const example = target.closest(".example");
      if (example) onExample(example.textContent);
    });
  }

  /** @param {{isEmpty: boolean, hasModels: boolean}} state */
  setState({ isEmpty, hasModels }) {
    this.root.hidden = !isEmpty;
    for (const part of this.root.querySelectorAll("[data-when]")) {
      part.hidden = (part.dataset.when === "models") !== hasModels;
    }
    const text = this.models.compared.length ? "" : loadText(this.models.picked);
    if (this.load.textContent !== text) this.load.textContent = text;
  }
}

/** What the first question waits for. @param {import("./models.js").Model | undefined} model */
function loadText(model) {
  switch (model?.state) {
    case "unloaded": return `${model.id} is not in memory. Your first question loads it (${size(model.resident_bytes)}), which takes from a few seconds to a few minutes; later ones begin at once.`;
    case "loading": return `${model.id} is being loaded, ${model.loaded_percent} %${phaseText(model.load_phase)}. You can ask already; the answer begins as soon as it is there.`;
    case "failed": return `${model.id} could not be loaded: ${model.reason || "the reason is not known"}`;
    default: return "";
  }
}
