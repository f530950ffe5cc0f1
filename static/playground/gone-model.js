/** The question above the composer: which model to use when the one in use is gone. Nothing is asked until that is chosen. */
import { element } from "./element.js";

const NONE = { problem: "", choices: [] };

/**
 * @param {import("./models.js").Models} models
 * @param {import("./conversation.js").Conversation} conversation
 * @param {{onUse: () => void, onChoose: () => void}} acts after a model was chosen here; to choose from the list
 */
export function askForGoneModel(models, conversation, { onUse, onChoose }) {
  const root = document.querySelector("#gone-model");
  const text = root.querySelector("p");
  const buttons = root.querySelector(".notice-buttons");
  const show = () => {
    const isIdle = !models.all.length && !conversation.messages.length; // the page says that there is no model
    const { problem, choices } = isIdle ? NONE : question(models);
    root.hidden = !problem;
    if (text.textContent !== problem) text.textContent = problem;
    const names = choices.map(({ name }) => name).join("\n");
    if (buttons.dataset.names === names) return; // a button keeps the focus while states change
    buttons.dataset.names = names;
    buttons.replaceChildren(...choices.map(({ name, act }) => element("button", { type: "button", onclick: () => { act(); onUse(); } }, name)),
      ...(problem && models.all.length ? [element("button", { type: "button", onclick: onChoose }, "Choose another model…")] : []));
  };
  models.addEventListener("change", show);
  conversation.addEventListener("branch", show);
  show();
}

/** @returns {{problem: string, choices: {name: string, act: () => void}[]}} */
function question(models) {
  const { missing, staleId, comparedIds, fallback, picked } = models;
  if (staleId) return { problem: `${models.reasonOf(staleId)} New chats use ${picked?.id ?? "no model"}.`, choices: [] };
  if (!missing.length) return NONE;
  const reasons = missing.map((id) => models.reasonOf(id)).join(" ");
  if (!fallback) return { problem: `${reasons} There is no other model.`, choices: [] };
  const others = comparedIds.filter((id) => !missing.includes(id));
  const goOn = others.length > 1
    ? { name: `Compare the other ${others.length}`, act: () => models.compare(others) }
    : { name: `Use ${others[0] ?? fallback.id} instead`, act: () => models.use(others[0] ?? fallback.id) };
  return { problem: `${reasons} Which model should answer from here on?`, choices: [goOn] };
}
