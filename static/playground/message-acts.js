/** What the buttons and menus of a message do; what takes something away can be undone. */
import { call } from "./api.js";
import { excerpt } from "./format.js";
import { focusUndo, toast, withdraw } from "./toast.js";

const UNDO = "Undo";
const REGENERATED = "The previous answer is kept as an earlier version.";

/**
 * @param {{conversation: import("./conversation.js").Conversation, chat: import("./chat.js").Chat,
 *   library: import("./library.js").Library, isReadOnly: boolean, limits: import("./attachment.js").Limits, show: () => void, onOpen: (id: string) => Promise<void>,
 *   onShow: (tip: number) => void}} page
 */
export function messageActs(page) {
  const { conversation, chat, library } = page;
  const attempt = async (act) => {
    try {
      return await act();
    } catch (error) {
      if (!error.code) console.error(error);
      toast(error.code ? error.message : "An error occurred. Reload the page.");
      return null;
    }
  };
  /** What was loaded before the server's answer is out of date. */
  const send = async (method, address, body) => {
    const answer = await call(method, address, body);
    chat.changes += 1;
    return answer;
  };
  const underway = new Set();
  /** The same act again, before the server has answered, is not done twice. */
  const once = (act) => async (message) => {
    const name = `${act.name} ${message.id}`;
    if (underway.has(name)) return;
    underway.add(name);
    try {
      await act(message);
    } finally {
      underway.delete(name);
    }
  };
  const at = ({ id }, verb = "") => `/chat/messages/${id}/${verb}`;
  const put = (messages) => messages.forEach((message) => conversation.put(message));
  const isOpen = (id) => conversation.id === id; // another chat may have been opened meanwhile

  /** @returns {Promise<boolean>} whether the server has begun another answer */
  async function regenerate(message, question) {
    const { tip, id: open } = conversation;
    const before = conversation.answersBeside(message);
    if (!(await chat.regenerate(message, question))) return false;
    const made = conversation.answersBeside(message).filter((one) => !before.includes(one));
    withdraw(REGENERATED); // the way back from several is by their numbers
    if (made.length) toast(REGENERATED, { name: UNDO, act: () => attempt(() => drop(made, tip, open)) });
    return true;
  }

  /** Show the previous answer again. Those that took its place go, unless the chat went on below them. */
  async function drop(made, tip, open) {
    for (const one of made.filter((answer) => isOpen(open) && !conversation.hasMessagesBelow(answer))) {
      const gone = await send("DELETE", at(one));
      if (isOpen(open)) conversation.remove(gone.deleted, tip);
    }
    if (isOpen(open)) page.onShow(tip);
  }

  /** Generate the same answer again, and show the differences. */
  async function replay(message) {
    if (await regenerate(message, message.made)) conversation.change(conversation.last, { replayOf: message.id });
  }

  async function edit(message, text) {
    if (text === message.content) return true;
    const { id: open } = conversation;
    const saved = await attempt(() => send("PATCH", at(message), { content: text }));
    if (!saved) return false;
    if (!isOpen(open)) return true;
    put(saved.messages);
    conversation.show(conversation.tip, { staysHere: true });
    toast("The answer was saved. The original is kept as an earlier version.", { name: UNDO, act: () => attempt(() => takeBack(message, saved.original, open)) });
    return true;
  }

  async function goOn(message) {
    const { id: open } = conversation;
    const original = await chat.continue(message);
    if (original && isOpen(open)) toast("The answer was continued.", { name: UNDO, act: () => attempt(() => takeBack(message, original, open)) });
  }

  /** Give an answer the text from before an edit or a continuation. */
  async function takeBack(message, original, open) {
    if (conversation.known.get(message.id)?.status === "answering") await send("POST", at(message, "stop/"));
    const undone = await send("PATCH", at(message), { original });
    if (!isOpen(open)) return;
    put(undone.messages);
    conversation.remove(undone.deleted, conversation.tip);
  }

  async function remove(message) {
    const { tip, id: open } = conversation;
    const gone = await attempt(() => send("DELETE", at(message)));
    if (!gone || !isOpen(open)) return;
    conversation.remove(gone.deleted, gone.tip);
    page.show();
    const below = gone.deleted.length - 1;
    toast(`${nameOf(message)} was deleted${below ? `, with ${below === 1 ? "the one" : `the ${below}`} below it` : ""}.`, { name: UNDO, act: () => attempt(() => restore(message, tip, open)) });
    focusUndo();
  }

  /** What follows the message stays. */
  async function removeAlone(message) {
    const { tip, id: open } = conversation;
    const gone = await attempt(() => send("DELETE", `${at(message)}?alone`));
    if (!gone || !isOpen(open)) return;
    conversation.move(gone.moved ?? [], gone.parent);
    conversation.remove(gone.deleted, gone.tip);
    page.show();
    toast(`${nameOf(message)} was deleted. What follows it stays.`, { name: UNDO, act: () => attempt(() => restore(message, tip, open)) });
    focusUndo();
  }

  async function restore(message, tip, open) {
    const restored = await send("POST", at(message, "restore/"), { tip });
    if (!isOpen(open)) {
      await page.onOpen(open);
      return;
    }
    put(restored.messages);
    conversation.move(restored.moved, restored.parent);
    conversation.show(restored.tip, { staysHere: true });
    page.show();
  }

  async function branch(message) {
    const { id: origin, title } = conversation;
    const made = await attempt(() => call("POST", at(message, "branch/"), {}));
    if (!made) return;
    await page.onOpen(made.id);
    library.refresh();
    const undo = async () => { await library.remove(made.id); await page.onOpen(origin); };
    toast(`This is a new chat, branched from “${title}”.`, { name: UNDO, act: () => attempt(undo) });
  }

  return {
    isReadOnly: page.isReadOnly,
    limits: page.limits,
    isServed: (model) => chat.models.all.some(({ id }) => id === model),
    waysToDelete: (message) => waysToDelete(conversation, message, { remove: once(remove), removeAlone: once(removeAlone) }),
    isWithoutQuestion: (message) => conversation.isWithoutQuestion(message),
    onRegenerate: regenerate,
    onReplay: replay,
    waysToRegenerate: async (message) => {
      const { waysToRegenerate } = await import("./regeneration.js"); // few visits need it
      return waysToRegenerate(message, chat.models, chat.settings.requestFields, {
        regenerate: (question) => regenerate(message, question), replay: () => replay(message),
      });
    },
    onContinue: goOn,
    onAnswerAgain: (message) => chat.answer(message),
    onAnswerNow: (message) => chat.answerNow(message),
    onEdit: (message, text, attachments) => chat.edit(message, text, attachments),
    onEditAnswer: edit,
    onDiscard: (act) => toast("Your change was discarded.", { name: UNDO, act }),
    onResults: (message, results) => chat.sendResults(message, results),
    onShow: page.onShow,
    onBranch: once(branch),
  };
}

/** @returns {import("./message-menu.js").Entry[]} */
function waysToDelete(conversation, message, { remove, removeAlone }) {
  if (!conversation.hasMessagesBelow(message)) return [{ name: "Delete", act: () => remove(message) }];
  const reason = conversation.whyNotDeletedAlone(message);
  return [
    { name: "Delete only this message", isOff: Boolean(reason), detail: reason || "what follows it stays", act: () => removeAlone(message) },
    { name: "Delete", detail: "with everything below it", act: () => remove(message) },
  ];
}

const nameOf = ({ content }) => excerpt(content) || "The message";
