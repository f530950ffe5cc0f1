/** The playground page: creates its parts and connects them. */
import { Announcer } from "./announcer.js";
import { acceptFiles } from "./attachments.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { call } from "./api.js";
import { showConnectionNotice } from "./connection-notice.js";
import { Gauge } from "./gauge.js";
import { showCaptureNotice } from "./capture-notice.js";
import { Library } from "./library.js";
import { Models } from "./models.js";
import { Picker } from "./picker.js";
import { Popup } from "./popup.js";
import { keepPresets } from "./presets.js";
import { Settings } from "./settings.js";
import { listenToKeyboard } from "./keyboard.js";
import { Sidebar } from "./sidebar.js";
import { followTheme } from "./theme.js";
import { Thread } from "./thread.js";
import { toast } from "./toast.js";
import { Welcome } from "./welcome.js";

const TITLE_AFTER_MS = 3000; // the model writes a title after its first answer
const page = JSON.parse(document.querySelector("#page").textContent);

const conversation = new Conversation();
const models = new Models(page.models, page.live, page.kept_until);
const settings = new Settings();
const chat = new Chat(conversation, models, settings);
const library = new Library();
const gauge = new Gauge(conversation, models);
const composer = new Composer({ onSend: (text) => chat.send(text), onStop: () => chat.stop(), onType: (text) => gauge.count(text), onUp: editLast });
const welcome = new Welcome((text) => chat.send(text));
const thread = new Thread(conversation, {
  onRegenerate: (message) => chat.regenerate(message),
  onReplay: replay,
  onAnswerNow: (message) => chat.answerNow(message),
  onEdit: (message, text) => chat.edit(message, text),
  onResults: (message, results) => chat.sendResults(message, results),
  onShow: showBranch,
});
const sidebar = new Sidebar(library, { onOpen: open, onGone: (id) => { if (id === conversation.id) newChat(); } });

new Announcer(conversation);
new Picker(models, () => composer.focus());
followTheme(document.querySelector("#theme"));
const account = document.querySelector("#account"); // missing on a site without accounts
if (account) new Popup(document.querySelector("#account-button"), account);
keepPresets(document.querySelector("#set-system"));
acceptFiles(document.querySelector("#prompt"), () => composer.typed());

function show() {
  const hasModels = models.all.length > 0;
  composer.setState({ isAnswering: chat.isAnswering, canAnswer: hasModels });
  welcome.setState({ isEmpty: conversation.messages.length === 0 && !chat.isAsking, hasModels });
  document.title = conversation.title ? `${conversation.title} · mlxsite` : "Playground · mlxsite";
  sidebar.mark(conversation.id);
}

/** @param {string} id */
async function open(id, { isNew = true } = {}) {
  try {
    await chat.open(id);
  } catch (error) {
    toast(error.message);
    newChat();
    return;
  }
  settings.load(conversation.settings);
  const { model } = conversation.messages.findLast(({ role }) => role === "assistant") ?? {};
  if (models.all.some(({ id }) => id === model)) models.pick(model);
  if (isNew) history.pushState(null, "", `/c/${id}`);
  sidebar.closeOnPhone();
  show();
  composer.focus();
}

function newChat() {
  chat.leave();
  conversation.clear();
  if (location.pathname !== "/") history.pushState(null, "", "/");
  show();
  composer.focus();
}

async function showBranch(tip) {
  conversation.show(tip);
  await call("PATCH", `/chat/conversations/${conversation.id}/`, { tip }).catch(() => {});
  show();
}

/** Generate the same answer again, and show the differences. */
async function replay(message) {
  if (await chat.regenerate(message, message.made)) conversation.change(conversation.last, { replayOf: message.id });
}

function editLast() {
  const question = conversation.messages.findLast(({ role }) => role === "user");
  if (question && !chat.isAnswering) thread.edit(question.id);
}

function follow() {
  const id = /^\/c\/([0-9a-f-]+)$/.exec(location.pathname)?.[1];
  if (id && id !== conversation.id) open(id, { isNew: false });
  else if (!id) newChat();
}

/** Load changes that another tab made meanwhile. */
async function refreshConversation() {
  if (document.hidden || !conversation.id || chat.isAnswering) return;
  library.refresh();
  const { tip, known } = conversation;
  const whole = await call("GET", `/chat/conversations/${conversation.id}/`).catch(() => null);
  if (whole?.id === conversation.id && !chat.isAnswering && (whole.tip !== tip || whole.messages.length !== known.size)) open(whole.id, { isNew: false });
}

chat.addEventListener("state", show);
chat.addEventListener("state", () => { if (!chat.isAnswering) setTimeout(() => library.refresh(), TITLE_AFTER_MS); });
library.addEventListener("change", () => {
  const title = library.all.find(({ id }) => id === conversation.id)?.title;
  if (title && title !== conversation.title) { conversation.title = title; show(); }
});
for (const type of ["problem", "note"]) chat.addEventListener(type, ({ detail }) => toast(detail));
chat.addEventListener("asked", ({ detail }) => {
  if (location.pathname !== `/c/${detail.id}`) history.pushState(null, "", `/c/${detail.id}`);
  library.refresh();
});
models.addEventListener("change", show);
models.addEventListener("back", () => { toast("The server is back."); library.refresh(); refreshConversation(); });
showConnectionNotice(models, document.querySelector("#trouble"));
showCaptureNotice(models, document.querySelector("#kept"));
document.querySelector("#new-chat").addEventListener("click", newChat);
listenToKeyboard({
  onSearch: () => sidebar.focusSearch(), onNew: newChat, onSidebar: () => sidebar.show(sidebar.root.hidden), onStop: () => chat.stop(),
  closeDrawer: () => sidebar.closeDrawer(), leaveField: () => composer.focus(),
});
addEventListener("popstate", follow);
document.addEventListener("visibilitychange", refreshConversation);
show();
if (page.shared) call("GET", `/chat/shared/${page.shared}/`).then((whole) => { conversation.open(whole); show(); }, (error) => toast(error.message));
else if (page.conversation) open(page.conversation, { isNew: false });
else composer.focus();
