/** The playground page: creates its parts and connects them. */
import { account } from "./account.js";
import { takeModelOfAddress } from "./address-model.js";
import { Announcer } from "./announcer.js";
import { Attachments } from "./attachments.js";
import { Chat } from "./chat.js";
import { offerComparison } from "./comparison.js";
import { Changes } from "./changes.js";
import { Composer, NEW_CHAT } from "./composer.js";
import { Conversation } from "./conversation.js";
import { call, UNREACHED } from "./api.js";
import { showConnectionNotice, signInAddress } from "./connection-notice.js";
import { followDownloads } from "./download-notice.js";
import { acceptFiles } from "./file-input.js";
import { Favourites } from "./favourites.js";
import { Gauge } from "./gauge.js";
import { showCaptureNotice } from "./capture-notice.js";
import { Library } from "./library.js";
import { messageActs } from "./message-acts.js";
import { Models, whenGone } from "./models.js";
import { showOrigin } from "./origin.js";
import { Picker } from "./picker.js";
import { whenPictures } from "./pictures.js";
import { Popup } from "./popup.js";
import { openSettings } from "./settings-parts.js";
import { listenToKeyboard } from "./keyboard.js";
import { pickLinked } from "./linked-model.js";
import { Sidebar } from "./sidebar.js";
import { followTheme } from "./theme.js";
import { Thread } from "./thread.js";
import { store } from "./store.js";
import { toast, withdraw } from "./toast.js";
import { offerTransfer } from "./transfer.js";
import { Welcome } from "./welcome.js";

const DELETED_ELSEWHERE = "This chat was deleted in another window.";
const page = JSON.parse(document.querySelector("#page").textContent);

const conversation = new Conversation();
const models = new Models(page.models, page.unavailable, page.live, page.kept_until);
pickLinked(models);
const settings = openSettings(page.mine, models);
const chat = new Chat(conversation, models, settings);
const library = new Library();
const limits = { file: page.max_file_bytes, picture: page.max_picture_bytes };
const attachments = new Attachments(models, limits);
const gauge = new Gauge(conversation, models, attachments);
const composer = new Composer({ onSend: submit, onStop: () => chat.stop(), onType: (text) => gauge.count(text), onUp: editLast, onEarly: () => toast("Not sent: the answer is still in progress. Wait for it, or stop it. Your text is kept."), onEmpty: () => { if (attachments.all.length) toast("Write a question about the files."); } });
const welcome = new Welcome(models, (text) => chat.send(text));
const thread = new Thread(conversation, messageActs({
  conversation, chat, library, isReadOnly: Boolean(page.shared), limits, show, onOpen: open, onShow: showBranch,
}));
const sidebar = new Sidebar(library, { onOpen: open, onGone: (id) => { if (id === conversation.id || id === chat.loading) newChat(); } });

new Announcer(conversation);
showOrigin(conversation, open);
const favourites = new Favourites(page.mine, page.account);
const picker = new Picker(models, favourites, { mayManage: page.may_manage, onPick: () => composer.focus() });
offerComparison(models, () => composer.focus());
whenGone(models, async () => {
  const { askForGoneModel } = await import("./gone-model.js");
  askForGoneModel(models, conversation, { onUse: () => composer.focus(), onChoose: () => picker.open() });
});
whenPictures(conversation, attachments, async () => {
  const { tellOfBlindModel } = await import("./blind-model.js");
  tellOfBlindModel(models, conversation, attachments, { onUse: () => composer.focus(), onChoose: () => picker.open() });
});
followTheme(document.querySelector("#theme"));
const accountMenu = document.querySelector("#account"); // missing on a site without accounts
if (accountMenu) new Popup(document.querySelector("#account-button"), accountMenu);
offerTransfer(library, open);
if (page.shared) import("./shared-copy.js").then(({ offerCopy }) => offerCopy(page.shared));
acceptFiles((files) => { attachments.add(files); composer.focus(); });

/** Send a question once its chat is loaded and its files are read. @param {string} text @returns {Promise<boolean>} whether the server has it */
async function submit(text) {
  const { key } = composer;
  const isLeft = () => chat.loading || composer.key !== key || keyOf(conversation) !== key;
  await chat.opening;
  if (isLeft()) return leave(key);
  return attachments.send(async (ids) => {
    const reason = isLeft() ? "" : await gauge.reasonNotToSend(text); // a question that is surely too long stays in the field
    if (isLeft()) return leave(key);
    if (reason) toast(`Not sent. ${reason}`);
    return !reason && chat.send(text, ids);
  });
}

/** @returns {boolean} false: the question was not sent */
function leave(key) {
  toast("Not sent, since another chat was opened first. Your question is kept there.", { name: "Show", act: () => (key === NEW_CHAT ? newChat() : open(key)) });
  return false;
}

const keyOf = ({ id }) => id ?? NEW_CHAT;

/** What is typed and attached from now on is meant for this chat, also while it loads. */
function turnTo(key) {
  composer.open(key);
  attachments.open(key);
}

function show() {
  const hasModels = models.all.length > 0;
  composer.setState({ isAnswering: chat.isAnswering, canAnswer: hasModels });
  welcome.setState({ isEmpty: conversation.messages.length === 0 && !chat.isAsking && !chat.loading, hasModels });
  document.title = conversation.title ? `${conversation.title} · mlxsite` : "Playground · mlxsite";
  document.querySelector("#thread").inert = Boolean(chat.loading); // it is of the chat that is being left
  sidebar.mark(chat.loading ?? conversation.id);
  const signIn = document.querySelector("a.sign-in");
  if (signIn) signIn.href = signInAddress();
}

/** @param {string} id @param {{isNew?: boolean, message?: number}} options `message` is one to go to */
async function open(id, { isNew = true, message } = {}) {
  const isOther = composer.key !== id;
  if (isOther) turnTo(id);
  try {
    if (!(await chat.open(id))) return; // another one was opened meanwhile
  } catch (error) {
    failToOpen(error, () => open(id, { isNew, message }));
    return;
  }
  composer.loaded(id, conversation.messages.findLast(({ role }) => role === "user")?.content);
  settings.load(id, conversation.settings);
  const { model } = conversation.messages.findLast(({ role }) => role === "assistant") ?? {};
  if (isOther && model) models.use(model);
  else if (isOther) models.useDefault();
  if (isNew) history.pushState(null, "", `/c/${id}`);
  sidebar.closeOnPhone();
  show();
  composer.focus();
  if (!message) return;
  const { goToMessage } = await import("./found-message.js");
  await goToMessage(conversation, thread, message, { showBranch, query: library.shownQuery, found: library.foundIn(id, message) });
}

/** The chat before stays, unless the other one is gone. */
function failToOpen(error, again) {
  const list = { name: "Deleted chats", act: () => document.querySelector("#deleted-button").click() };
  toast(error.message, error.status === 404 ? list : { name: "Try again", act: again });
  if (error.status === 404 || !conversation.id) return newChat();
  turnTo(conversation.id);
  if (location.pathname !== `/c/${conversation.id}`) history.replaceState(null, "", `/c/${conversation.id}`);
  return show();
}

function newChat() {
  chat.leave();
  conversation.clear();
  models.useDefault();
  turnTo(NEW_CHAT);
  settings.begin();
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
  if (question && !chat.isAnswering && !chat.loading) thread.edit(question.id);
}

function follow() {
  const id = /^\/c\/([0-9a-f-]+)$/.exec(location.pathname)?.[1];
  if (id && id !== conversation.id) open(id, { isNew: false });
  else if (!id) newChat();
}

/** The title that the open conversation has in the list. */
function takeTitle(listed) {
  if (!listed?.title || listed.id !== conversation.id || listed.title === conversation.title) return;
  conversation.title = listed.title;
  show();
}

/** Load what other windows have changed. Open forms, the text in the field and the branch that is shown stay. */
async function refreshConversation() {
  library.refresh();
  const { id } = conversation;
  if (!id) return;
  try {
    const isElsewhere = await chat.sync();
    composer.settleWith(conversation.messages.findLast(({ role }) => role === "user")?.content);
    if (isElsewhere) toast("This chat was continued in another window.", { name: "Show", act: () => open(id, { isNew: false }) });
  } catch (error) {
    if (error.status === 404) reportDeleted(id);
  }
}

function reportDeleted(id) {
  const restore = () => library.restore(id).then(refreshConversation, (error) => toast(error.message));
  if (id !== conversation.id || library.removed.has(id)) return;
  withdraw(DELETED_ELSEWHERE);
  toast(DELETED_ELSEWHERE, { name: "Undo", act: restore });
}

/** @param {number | null} newest a message of the open chat, null for any */
function isNews({ conversation: id, newest }) {
  const known = conversation.known.get(newest);
  return id === conversation.id && !(known && (known.status !== "answering" || chat.following.has(newest)));
}

chat.addEventListener("state", show);
library.addEventListener("change", () => takeTitle(library.find(conversation.id)));
library.addEventListener("change", () => { if (!library.shownQuery) globalThis.CSS.highlights?.clear(); });
library.addEventListener("title", ({ detail }) => takeTitle(detail));
for (const type of ["problem", "note"]) chat.addEventListener(type, ({ detail }) => toast(detail));
chat.addEventListener("asked", ({ detail }) => {
  library.refresh();
  if (chat.loading) return; // that one has the field already
  composer.rename(detail.id);
  attachments.rename(detail.id);
  if (location.pathname !== `/c/${detail.id}`) history.pushState(null, "", `/c/${detail.id}`);
});
models.addEventListener("change", show);
models.addEventListener("back", () => { withdraw(UNREACHED); toast("The server is back."); refreshConversation(); });
const changes = new Changes();
const held = []; // changes that came while this page was asking, and may be its own
const takeNews = (details) => { if (details.some(isNews)) refreshConversation(); else library.refreshSoon(); };
changes.addEventListener("messages", ({ detail }) => { if (chat.isAsking) held.push(detail); else takeNews([detail]); });
chat.addEventListener("state", () => { if (!chat.isAsking && held.length) takeNews(held.splice(0)); });
changes.addEventListener("listed", () => library.refreshSoon());
changes.addEventListener("title", ({ detail }) => library.retitle(detail.conversation, detail.title));
changes.addEventListener("answering", ({ detail }) => library.setAnswering(detail.conversations));
changes.addEventListener("deleted", ({ detail }) => { library.refreshSoon(); reportDeleted(detail.conversation); });
changes.addEventListener("missed", refreshConversation);
chat.addEventListener("changed", refreshConversation);
showConnectionNotice(models, document.querySelector("#trouble"));
showCaptureNotice(models, document.querySelector("#kept"));
followDownloads(models, () => composer.focus());
document.querySelector("#new-chat").addEventListener("click", newChat);
listenToKeyboard({
  onSearch: () => sidebar.focusSearch(), onNew: newChat, onSidebar: () => sidebar.show(sidebar.root.hidden), onStop: () => chat.stop(),
  closeDrawer: () => sidebar.closeDrawer(), leaveField: () => composer.focus(),
});
addEventListener("popstate", follow);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refreshConversation(); });
show();
if (page.shared) call("GET", `/chat/shared/${page.shared}/`).then((whole) => { conversation.open(whole); show(); }, (error) => toast(error.message));
else if (page.conversation) open(page.conversation, { isNew: false, message: Number(/^#m(\d+)$/.exec(location.hash)?.[1] ?? 0) });
else { takeModelOfAddress(models); composer.open(NEW_CHAT); composer.focus(); }
if (account.name) import("./takeover.js").then(({ offerTakeover }) => offerTakeover(library));
else document.querySelector("#whose").textContent = "Chats on this machine, without an account";
if (page.account && !page.shared && ["favourites", "prompts", "presets", "defaults"].some((key) => store.read(key))) {
  import("./browser-offer.js").then(({ offerBrowserContents }) => offerBrowserContents({ account: page.mine.account, favourites, defaults: settings.defaults }));
}
