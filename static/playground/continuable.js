/** Which answers go on in place, and why others do not. */

/** @param {import("./conversation.js").Message} message an answer that has ended @returns {string} empty if it can be continued */
export function whyNotContinued({ content, reasoning, calls }) {
  if (calls.length) return "It calls functions: send their results, or regenerate it.";
  if (content) return "";
  return reasoning ? "It ended while the model was still reasoning: regenerate it." : "It has no text: regenerate it.";
}

/** @returns {boolean} whether the answer ended before its own end, and can be continued */
export function isUnfinished(message) {
  return (message.status !== "done" || isCut(message)) && !whyNotContinued(message);
}

/** @returns {boolean} whether the length limit ended the answer */
export function isCut({ figures }) {
  return figures?.reason === "length";
}
