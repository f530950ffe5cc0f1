/** Keys that belong to the text being typed. The guard keeps them from every other handler of the page, in all fields. */

const INPUT_METHOD_KEY = 229; // https://w3c.github.io/uievents/#determine-keydown-keyup-keyCode
const TOUCH_ONLY = matchMedia("(pointer: coarse) and (not (any-pointer: fine))");

/**
 * Whether the input method has this key: it confirms or cancels a composition and means nothing to the page. Chrome and
 * Firefox send the key inside the composition. Safari sends it after `compositionend`, with the input method's key code:
 * https://bugs.webkit.org/show_bug.cgi?id=165004
 * @param {KeyboardEvent} event
 */
export function isOfInputMethod(event) {
  return event.isComposing || event.keyCode === INPUT_METHOD_KEY;
}

/** Whether this key breaks the line: on a phone, return does, and a button sends. @param {KeyboardEvent} event */
export function isLineBreak({ key, target, ctrlKey, metaKey }) {
  return key === "Enter" && TOUCH_ONLY.matches && target instanceof HTMLTextAreaElement && !ctrlKey && !metaKey;
}

/** Listen on the window while the event comes down, and so before every listener on the page's parts. */
export function guardTypingKeys() {
  addEventListener("keydown", (event) => {
    const isOfComposition = isOfInputMethod(event);
    if (!isOfComposition && !isLineBreak(event)) return;
    event.stopImmediatePropagation();
    if (isOfComposition && endsSomething(event)) event.preventDefault();
  }, { capture: true });
  document.addEventListener("focusin", ({ target }) => labelReturnKey(target));
  TOUCH_ONLY.addEventListener("change", () => labelReturnKey(document.activeElement));
}

/** Keys by which a browser itself submits a form or closes a dialog. */
function endsSomething({ key, target }) {
  return key === "Escape" || (key === "Enter" && target instanceof HTMLInputElement);
}

/** What a virtual keyboard writes on its return key. */
function labelReturnKey(field) {
  if (field instanceof HTMLTextAreaElement) field.enterKeyHint = field.id === "prompt" && !TOUCH_ONLY.matches ? "send" : "enter";
  else if (field instanceof HTMLInputElement) field.enterKeyHint = field.type === "search" ? "search" : "done";
}
