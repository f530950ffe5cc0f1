/** The keyboard of the whole page: what belongs to the text being typed, then Escape, then the shortcuts. */
import { listenToEscape } from "./escape.js";
import { copyLastAnswer, copyLastCode, openLastMenu, openLastWays } from "./last-answer.js";
import { listenToKeys } from "./shortcuts.js";
import { toast } from "./toast.js";
import { guardTypingKeys } from "./typing-keys.js";

/**
 * @param {{onSearch(): void, onNew(): void, onSidebar(): void, onStop(): void, closeDrawer(): boolean,
 *   leaveField(): void}} acts `onStop` also while nothing is answering; `closeDrawer` returns whether one was open
 */
export function listenToKeyboard(acts) {
  guardTypingKeys();
  listenToEscape({ closeDrawer: acts.closeDrawer, leaveField: acts.leaveField, stop: acts.onStop });
  listenToKeys({
    ...acts,
    onSettings: () => document.querySelector("#settings-button").click(),
    onCopyAnswer: () => toast(copyLastAnswer() ? "The last answer was copied." : "There is no answer to copy."),
    onAnswerMenu: () => { if (!openLastMenu()) toast("There is no complete answer."); },
    onRegenerate: () => { if (!openLastWays()) toast("There is no answer to regenerate."); },
    onCopyCode: () => toast(copyLastCode() ? "The last code block was copied." : "There is no code to copy."),
  });
}
