/** Code in a frame: its language, a button that copies it, and colours. */
import { copyButton } from "./clipboard.js";
import { element } from "./element.js";
import { grammarFor, highlighted } from "./highlight.js";
import { fragment } from "./sanitise.js";

/** Put every `pre` below `root` into a frame. @param {ParentNode} root */
export function frameCode(root) {
  for (const pre of root.querySelectorAll("pre")) frame(pre);
}

function frame(pre) {
  const code = pre.querySelector("code");
  if (!code) return;
  const language = languageOf(code);
  const head = element("div", { className: "code-head" }, element("span", {}, language || "text"));
  const box = element("div", { className: "code", dir: "ltr" }, head);
  pre.tabIndex = 0; // it scrolls sideways, so the keyboard has to reach it
  pre.replaceWith(box);
  box.append(pre);
  // Once the text grows the button stands beside the code that it was made with, or beside its successor.
  const button = copyButton(() => box.querySelector("pre").textContent.replace(/\n+$/, ""), "Copy code");
  head.append(button);
  colour(code, language);
}

const languageOf = (code) => /language-(\S+)/.exec(code.className)?.[1].toLowerCase() ?? "";

function colour(code, language) {
  const html = highlighted(code.textContent, language);
  if (html !== null) code.replaceChildren(fragment(html));
}

/** Colour what is shown without colours, once its grammar is there. @param {ParentNode} root */
export function colourLate(root) {
  for (const code of root.querySelectorAll("pre > code[class*=language-]")) {
    if (code.firstElementChild || highlighted("", languageOf(code)) !== null) continue;
    // Uncoloured code is still code: a grammar that cannot be loaded is not an error.
    grammarFor(languageOf(code))?.then(() => { if (code.isConnected && !code.firstElementChild) colour(code, languageOf(code)); }, () => {});
  }
}
