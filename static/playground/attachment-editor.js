/** The files of a question that is edited: chips that can be taken away before it is sent again. */
import { element, icon } from "./element.js";
import { bytes } from "./format.js";

/**
 * @param {import("./attachment.js").Added[] | null} attachments of the question @param {() => void} onRemoved
 * @returns {{parts: HTMLElement[], ids: () => string[]}} a list if there are files, and the ids of those that are left
 */
export function attachmentEditor(attachments, onRemoved) {
  const left = new Map((attachments ?? []).map((one) => [one.id, one]));
  if (!left.size) return { parts: [], ids: () => [] };
  const root = element("ul", { className: "chips", "aria-label": "Files of the edited question" });
  const show = () => {
    root.hidden = !left.size;
    root.replaceChildren(...[...left.values()].map((one) => chip(one, () => { left.delete(one.id); show(); onRemoved(); })));
  };
  show();
  return { parts: [root], ids: () => [...left.keys()] };
}

function chip({ name, size }, onRemove) {
  const remove = element("button", { type: "button", className: "chip-remove", title: `Remove ${name}`, "aria-label": `Remove ${name}`, onclick: onRemove }, icon("close"));
  return element("li", { className: "chip" }, icon("file"), element("span", { className: "chip-text" },
    element("span", { className: "chip-name" }, name), element("span", { className: "chip-facts" }, bytes(size))), remove);
}
