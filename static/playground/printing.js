/** Printing: everything of the chat is on the paper, also what is folded or still to be set. */
import { setAllFormulas } from "./formulas.js";

export function prepareForPrinting() {
  addEventListener("beforeprint", setAllFormulas);
}
