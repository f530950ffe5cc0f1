/** An answer token by token, each as dark as it was certain; the pointed one shows what else it could have been. */
import { element } from "./element.js";
import { percent } from "./format.js";

/** @typedef {{text: string, logprob: number | null, top: [string, number][]}} Token */

export class Probabilities {
  constructor() {
    this.text = element("div", { className: "tokens" });
    this.others = element("p", { className: "others", role: "status" });
    this.root = element("div", { className: "probabilities", hidden: true }, this.text, this.others);
    for (const type of ["pointerover", "focusin", "click"]) {
      this.text.addEventListener(type, ({ target }) => this.#describe(this.tokens?.[target.dataset.place]));
    }
  }

  /** @param {Token[]} tokens */
  show(tokens) {
    this.tokens = tokens;
    this.text.replaceChildren(...tokens.map(({ text, logprob }, place) => element("span", {
      tabIndex: 0, className: `token is-${certainty(logprob)}`, data: { place },
    }, text)));
    this.others.textContent = "Point at a token, or select it with the Tab key, to see its alternatives.";
  }

  #describe(token) {
    if (!token) return;
    const named = token.top.map(([text, logprob]) => `${quoted(text)} ${percent(Math.exp(logprob))}`);
    this.others.textContent = `${quoted(token.text)} ${percent(Math.exp(token.logprob))}. Alternatives: ${named.join(", ")}`;
  }
}

const quoted = (text) => `“${text.replaceAll("\n", "⏎")}”`;

function certainty(logprob) {
  const share = Math.exp(logprob ?? 0);
  if (share > 0.9) return "sure";
  if (share > 0.5) return "likely";
  return share > 0.2 ? "open" : "rare";
}
