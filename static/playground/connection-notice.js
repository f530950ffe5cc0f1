/** The notice that is shown while the server cannot be reached, after the session has ended, or after the picked model was removed. */
import { session } from "./account.js";
import { element } from "./element.js";

/** @param {import("./models.js").Models} models @param {HTMLElement} line always there, for screen readers */
export function showConnectionNotice(models, line) {
  let hasEnded = false;
  models.addEventListener("change", () => {
    if (!hasEnded && line.textContent !== models.notice) line.textContent = models.notice;
  });
  session.addEventListener("ended", ({ detail }) => {
    if (hasEnded) return;
    hasEnded = true;
    const link = element("a", {}, detail.isReplaced ? "Reload the page" : "Sign in");
    // The chat may have been begun after this notice.
    link.addEventListener("click", () => { link.href = signInAddress(); });
    link.href = signInAddress();
    line.replaceChildren(`${detail.reason} `, link);
  });
}

/** Signing in leads back to the chat; who is signed in already gets there at once. */
const signInAddress = () => `/login/?${new URLSearchParams({ next: location.pathname })}`;
