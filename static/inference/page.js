/** What every page of the admin has: the switch between light and dark, and times in the visitor's own. */
import { followTheme } from "../playground/theme.js";
import { showLocalTimes } from "./local-time.js";

const button = document.querySelector("#theme");
if (button) {
  button.hidden = false;
  followTheme(button);
}
showLocalTimes();
