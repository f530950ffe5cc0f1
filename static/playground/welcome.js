/** The content of an empty conversation. */
export class Welcome {
  /** @param {(text: string) => void} onExample */
  constructor(onExample) {
    this.root = document.querySelector("#welcome");
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
  }
}
