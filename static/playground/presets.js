/** Saved system prompts, in this browser. */
import { element } from "./element.js";
import { store } from "./store.js";

const NAME_LENGTH = 40;

/** @param {HTMLTextAreaElement} field the system prompt's */
export function keepPresets(field) {
  const list = document.querySelector("#presets");
  const texts = () => store.read("presets") ?? [];
  const show = () => list.replaceChildren(element("option", { value: "" }, "choose one"),
    ...texts().map((text) => element("option", { value: text }, text.length > NAME_LENGTH ? `${text.slice(0, NAME_LENGTH)}…` : text)));
  const keep = (kept) => { store.write("presets", kept); show(); };
  list.addEventListener("change", () => {
    if (!list.value) return;
    field.value = list.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.querySelector("#preset-save").addEventListener("click", () => {
    const text = field.value.trim();
    if (text) keep([text, ...texts().filter((other) => other !== text)]);
  });
  document.querySelector("#preset-forget").addEventListener("click", () => keep(texts().filter((text) => text !== list.value)));
  show();
}
