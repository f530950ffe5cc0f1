/** The notice above the composer: the picked model reads text only, and there are pictures; with the models that see. */
import { element } from "./element.js";
import { isPicture } from "./pictures.js";

const MOST = 4; // buttons; the list has the others

/**
 * @param {import("./models.js").Models} models
 * @param {import("./conversation.js").Conversation} conversation
 * @param {import("./attachments.js").Attachments} attachments
 * @param {{onUse: () => void, onChoose: () => void}} acts after a model was chosen here; to choose from the list
 */
export function tellOfBlindModel(models, conversation, attachments, { onUse, onChoose }) {
  const root = document.querySelector("#blind-model");
  const text = root.querySelector("p");
  const buttons = root.querySelector(".notice-buttons");
  const show = () => {
    const words = wordsOf(models, conversation, attachments);
    const seeing = words && !models.compared.length ? models.all.filter(({ sees }) => sees) : [];
    root.hidden = !words;
    if (text.textContent !== words) text.textContent = words;
    const names = seeing.map(({ id }) => id).join("\n");
    if (buttons.dataset.names === names) return; // a button keeps the focus while states change
    buttons.dataset.names = names;
    buttons.replaceChildren(...seeing.slice(0, MOST).map(({ id }) => element("button", { type: "button", onclick: () => { models.use(id); onUse(); } }, `Use ${id}`)),
      ...(seeing.length > MOST ? [element("button", { type: "button", onclick: onChoose }, "Choose another model…")] : []));
  };
  models.addEventListener("change", show);
  conversation.addEventListener("branch", show);
  attachments.addEventListener("change", show);
  show();
}

/** @returns {string} empty where there are no pictures, or all models that are asked see */
function wordsOf(models, conversation, attachments) {
  const picked = models.compared.length ? models.compared.map((id) => models.find(id)) : [models.picked];
  const blind = picked.filter((model) => model && !model.sees).map(({ id }) => id);
  const added = attachments.all.filter((one) => one.added && isPicture(one.added)).length;
  const isInChat = conversation.messages.some(({ attachments: files = [] }) => files.some(isPicture));
  if (!blind.length || !(added || isInChat)) return "";
  const what = !added ? "this chat has pictures" : added === 1 ? "your question has a picture" : "your question has pictures";
  const read = `${blind.join(" and ")} ${blind.length === 1 ? "reads" : "read"} text only, and ${what}.`;
  if (models.all.some(({ sees }) => sees)) return read;
  return `${read} No model here sees pictures. ${added ? "Remove them to send the text alone." : "Begin a new chat to go on without them."}`;
}
