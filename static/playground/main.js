/** The playground page: creates its parts and connects them. */
import { Announcer } from "./announcer.js";
import { acceptFiles } from "./attachments.js";
import { Chat } from "./chat.js";
import { offerComparison } from "./comparison.js";
import { Changes } from "./changes.js";
import { Composer, NEW_CHAT } from "./composer.js";
import { Conversation } from "./conversation.js";
import { call } from "./api.js";
import { showConnectionNotice } from "./connection-notice.js";
import { Favourites } from "./favourites.js";
import { copyFormulasAsTeX } from "./formula-copy.js";
import { Gauge } from "./gauge.js";
import { askForGoneModel } from "./gone-model.js";
import { showCaptureNotice } from "./capture-notice.js";
import { Library } from "./library.js";
import { messageActs } from "./message-acts.js";
import { Models } from "./models.js";
import { showOrigin } from "./origin.js";
import { Picker } from "./picker.js";
import { Popup } from "./popup.js";
import { keepPresets } from "./presets.js";
import { prepareForPrinting } from "./printing.js";
import { Settings } from "./settings.js";
import { listenToKeyboard } from "./keyboard.js";
import { Sidebar } from "./sidebar.js";
import { followTheme } from "./theme.js";
import { Thread } from "./thread.js";
import { offerTakeover } from "./takeover.js";
import { toast } from "./toast.js";
import { Welcome } from "./welcome.js";

const TITLE_AFTER_MS = 3000; // the model writes a title after its first answer
const page = JSON.parse(document.querySelector("#page").textContent);

const conversation = new Conversation();
const models = new Models(page.models, page.unavailable, page.live, page.kept_until);
const settings = new Settings();
const chat = new Chat(conversation, models, settings);
const library = new Library();
const gauge = new Gauge(conversation, models);
const composer = new Composer({ onSend: (text) => chat.send(text), onStop: () => chat.stop(), onType: (text) => gauge.count(text), onUp: editLast });
const welcome = new Welcome(models, (text) => chat.send(text));
const thread = new Thread(conversation, messageActs({
  conversation, chat, library, isReadOnly: Boolean(page.shared), show, onOpen: open, onShow: showBranch,
}));
const sidebar = new Sidebar(library, { onOpen: open, onGone: (id) => { if (id === conversation.id) newChat(); } });

new Announcer(conversation);
showOrigin(conversation, open);
const picker = new Picker(models, new Favourites(page.account), { mayManage: page.may_manage, onPick: () => composer.focus() });
offerComparison(models, () => composer.focus());
askForGoneModel(models, conversation, { onUse: () => composer.focus(), onChoose: () => picker.open() });
followTheme(document.querySelector("#theme"));
copyFormulasAsTeX();
prepareForPrinting();
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
  const isOther = conversation.id !== id;
  try {
    await chat.open(id);
  } catch (error) {
    toast(error.message);
    newChat();
    return;
  }
  composer.open(id, conversation.messages.findLast(({ role }) => role === "user")?.content);
  settings.load(conversation.settings);
  const { model } = conversation.messages.findLast(({ role }) => role === "assistant") ?? {};
  if (isOther && model) models.use(model);
  else if (isOther) models.useDefault();
  if (isNew) history.pushState(null, "", `/c/${id}`);
  sidebar.closeOnPhone();
  show();
  composer.focus();
}

function newChat() {
  chat.leave();
  conversation.clear();
  models.useDefault();
  composer.open(NEW_CHAT);
  if (location.pathname !== "/") history.pushState(null, "", "/");
  show();
  composer.focus();
}

async function showBranch(tip) {
  conversation.show(tip, { staysHere: true });
  await call("PATCH", `/chat/conversations/${conversation.id}/`, { tip }).catch(() => {});
  show();
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

/** Load what other windows have changed. Open forms, the text in the field and the branch that is shown stay. */
async function refreshConversation() {
  library.refresh();
  const { id } = conversation;
  if (!id) return;
  try {
    const isElsewhere = await chat.sync();
    composer.settleWith(conversation.messages.findLast(({ role }) => role === "user")?.content);
    if (isElsewhere) toast("This chat went on in another window.", { name: "Show", act: () => open(id, { isNew: false }) });
  } catch (error) {
    if (error.status === 404) reportDeleted(id);
  }
}

function reportDeleted(id) {
  const restore = () => library.restore(id).then(refreshConversation, (error) => toast(error.message));
  if (id === conversation.id && !library.removed.has(id)) toast("This chat was deleted in another window.", { name: "Undo", act: restore });
}

/** @param {number | null} newest a message of the open chat, null for any */
function isNews({ conversation: id, newest }) {
  const known = conversation.known.get(newest);
  return id === conversation.id && !(known && (known.status !== "answering" || chat.following.has(newest)));
}

chat.addEventListener("state", show);
chat.addEventListener("state", () => { if (!chat.isAnswering) setTimeout(() => library.refresh(), TITLE_AFTER_MS); });
library.addEventListener("change", () => {
  const title = library.all.find(({ id }) => id === conversation.id)?.title;
  if (title && title !== conversation.title) { conversation.title = title; show(); }
});
for (const type of ["problem", "note"]) chat.addEventListener(type, ({ detail }) => toast(detail));
chat.addEventListener("asked", ({ detail }) => {
  composer.rename(detail.id);
  if (location.pathname !== `/c/${detail.id}`) history.pushState(null, "", `/c/${detail.id}`);
  library.refresh();
});
models.addEventListener("change", show);
models.addEventListener("back", () => { toast("The server is back."); refreshConversation(); });
const changes = new Changes();
let missed = null; // a change that came while this page was asking, and may be its own
changes.addEventListener("messages", ({ detail }) => {
  if (chat.isAsking) missed = detail;
  else if (isNews(detail)) refreshConversation();
  else library.refresh();
});
chat.addEventListener("state", () => {
  if (chat.isAsking || !missed) return;
  if (isNews(missed)) refreshConversation();
  missed = null;
});
changes.addEventListener("listed", () => library.refresh());
changes.addEventListener("deleted", ({ detail }) => { library.refresh(); reportDeleted(detail.conversation); });
changes.addEventListener("missed", refreshConversation);
chat.addEventListener("changed", refreshConversation);
showConnectionNotice(models, document.querySelector("#trouble"));
showCaptureNotice(models, document.querySelector("#kept"));
document.querySelector("#new-chat").addEventListener("click", newChat);
listenToKeyboard({
  onSearch: () => sidebar.focusSearch(), onNew: newChat, onSidebar: () => sidebar.show(sidebar.root.hidden), onStop: () => chat.stop(),
  closeDrawer: () => sidebar.closeDrawer(), leaveField: () => composer.focus(),
});
addEventListener("popstate", follow);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshConversation(); });
show();
if (page.shared) call("GET", `/chat/shared/${page.shared}/`).then((whole) => { conversation.open(whole); show(); }, (error) => toast(error.message));
else if (page.conversation) open(page.conversation, { isNew: false });
else { composer.open(NEW_CHAT); composer.focus(); }
offerTakeover(library);
