/** The playground page: its parts, made and joined. */
import { Announcer } from "./announcer.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { Models } from "./models.js";
import { Picker } from "./picker.js";
import { Settings } from "./settings.js";
import { followTheme } from "./theme.js";
import { Thread } from "./thread.js";
import { Welcome } from "./welcome.js";

const page = JSON.parse(document.querySelector("#page").textContent);

const conversation = new Conversation();
const models = new Models(page.models, page.addresses.live);
const chat = new Chat(conversation, models, new Settings(), page.addresses.chat);
const composer = new Composer({ onSend: (words) => chat.send(words), onStop: () => chat.stop() });
const welcome = new Welcome((words) => chat.send(words));

new Thread(conversation, { onAgain: () => chat.regenerate(), onResults: (message) => chat.goOn(message) });
new Announcer(conversation);
new Picker(models, () => composer.focus());
followTheme(document.querySelector("#theme"));

function show() {
  const hasModels = models.all.length > 0;
  composer.become({ isAnswering: chat.isAnswering, canAnswer: hasModels });
  welcome.become({ isEmpty: conversation.messages.length === 0, hasModels });
}

function beginAnew() {
  chat.stop();
  conversation.clear();
  show();
  composer.focus();
}

chat.addEventListener("state", show);
models.addEventListener("change", show);
document.querySelector("#new-chat").addEventListener("click", beginAnew);
document.addEventListener("keydown", (event) => { if (event.key === "Escape") chat.stop(); });
show();
composer.focus();
