/** Sends a question so that it is asked once, whatever becomes of the response. */
import { call } from "./api.js";
import { newChatId, renewChatId } from "./new-chat.js";

/**
 * A question that the server has, though its response was lost, is not asked twice.
 * @param {import("./conversation.js").Conversation} conversation
 * @param {object} body of the request @param {AbortSignal} signal
 * @returns {Promise<object>} what the server has begun; throws an AnswerError
 */
export async function postQuestion({ known }, body, signal) {
  const newId = body.conversation ? null : newChatId();
  const post = () => call("POST", "/chat/ask/", { ...body, new_id: newId && newChatId() }, signal);
  let asked;
  try {
    asked = await post();
  } catch (error) {
    if (error.code !== "conversation_changed") throw error;
    asked = await arrived(known, body.conversation ?? newId, body);
    if (!asked && !newId) throw error;
    if (!asked) renewChatId();
    asked ??= await post();
  }
  if (newId) renewChatId();
  return asked;
}

async function arrived(known, id, { parent, content }) {
  const { title, messages } = await call("GET", `/chat/conversations/${id}/`).catch(() => ({ messages: [] }));
  const isNew = (message) => !known.has(message.id);
  const question = content === undefined
    ? messages.find((message) => message.id === parent)
    : messages.findLast((message) => isNew(message) && message.parent === (parent ?? null) && message.content === content);
  const answers = question ? messages.filter((message) => message.parent === question.id && isNew(message)) : [];
  return answers.length ? { conversation: id, title, messages: [question, ...answers] } : null;
}
