/** The page that shows a new key once: a button that copies it. Without JavaScript there is no button. */
import { copy } from "../playground/clipboard.js";

const secret = document.querySelector("[data-secret]");
const button = document.querySelector("[data-copy]");
button.hidden = false;
button.addEventListener("click", async () => {
  await copy(secret.textContent);
  document.querySelector("[data-copied]").textContent = "Copied.";
});
