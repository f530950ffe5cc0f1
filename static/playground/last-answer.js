/** Copying from the newest answer by keyboard, with the buttons that copy its text and its code. */

/** @returns {boolean} whether there was an answer */
export function copyLastAnswer() {
  return press(".message.is-assistant .foot .copy");
}

/** @returns {boolean} whether there was a block of code */
export function copyLastCode() {
  return press(".message.is-assistant .code-head .copy");
}

function press(selector) {
  const button = [...document.querySelectorAll(selector)].at(-1);
  button?.click();
  return Boolean(button);
}
