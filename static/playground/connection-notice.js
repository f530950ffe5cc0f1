/** The notice that is shown while the server cannot be reached, or after the session has ended. */
import { session } from "./account.js";
import { element } from "./element.js";

/** @param {import("./models.js").Models} models @param {HTMLElement} line always there, for screen readers */
export function showConnectionNotice(models, line) {
  let hasEnded = false;
  models.addEventListener("change", () => {
    if (!hasEnded && line.textContent !== models.lost) line.textContent = models.lost;
  });
  session.addEventListener("ended", ({ detail }) => {
    if (hasEnded) return;
    hasEnded = true;
    const link = element("a", {}, detail.isReplaced ? "Reload the page" : "Sign in");
    // The chat may have been begun after this notice.
    const follow = () => { link.href = detail.isReplaced ? location.pathname : signInAddress(); };
    link.addEventListener("click", follow);
    follow();
    line.replaceChildren(`${detail.reason} `, link);
  });
}

/** Signing in leads back to the chat. */
export const signInAddress = () => `/login/?${new URLSearchParams({ next: location.pathname })}`;
