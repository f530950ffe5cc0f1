/** What the keys are called on this machine, and which of them gives commands. */

const names = [navigator.userAgentData?.platform, navigator.platform, navigator.userAgent];

/** Whether the keyboard is Apple's: commands are given by ⌘, and Ctrl moves within a text field. */
export const IS_APPLE = /mac|iphone|ipad/i.test(names.join(" "));

const NAMES = IS_APPLE ? { Mod: "⌘", Shift: "⇧", Enter: "return", Esc: "esc" } : { Mod: "Ctrl" };

/** @param {string} key @returns {string} what is printed on it */
export const keyName = (key) => NAMES[key] ?? key;

/** Apple writes ⇧ before ⌘. @param {string[]} keys */
export const inOrder = (keys) => (IS_APPLE ? [...keys].sort((one) => (one === "Shift" ? -1 : 0)) : keys);

/** Whether the key that gives commands is held, and no other that changes its meaning. @param {KeyboardEvent} event */
export function isCommand({ ctrlKey, metaKey, altKey }) {
  return IS_APPLE ? metaKey && !ctrlKey && !altKey : ctrlKey && !metaKey && !altKey;
}
