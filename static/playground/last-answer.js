/** The newest answer by keyboard, with the buttons that it has: they copy its text and its code, and open its menus. */

/** @returns {boolean} whether there was an answer */
export function copyLastAnswer() {
  return press(".message.is-assistant .foot .copy");
}

/** @returns {boolean} whether there was a block of code */
export function copyLastCode() {
  return press(".message.is-assistant .code-head .copy");
}

/** While the model thinks, "Answer now" gets the focus. @returns {boolean} whether there was a menu */
export function openLastMenu() {
  const now = lastAnswer()?.querySelector(".answer-now:not([hidden])");
  now?.focus();
  return Boolean(now) || pressInLast(".foot .verbs");
}

/** @returns {boolean} whether the answer can be made anew */
export function openLastWays() {
  return pressInLast(".foot .split:not([hidden]) .ways");
}

const lastAnswer = () => [...document.querySelectorAll(".message.is-assistant")].at(-1);

function pressInLast(selector) {
  const button = lastAnswer()?.querySelector(selector);
  button?.scrollIntoView({ block: "nearest" });
  button?.click();
  return Boolean(button);
}

function press(selector) {
  const button = [...document.querySelectorAll(selector)].at(-1);
  button?.click();
  return Boolean(button);
}
