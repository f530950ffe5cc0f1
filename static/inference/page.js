/** What every page of the admin has: the switch between light and dark, times in the visitor's own, running downloads, and forms that are sent once. */
import { followTheme } from "../playground/theme.js";
import { followDownloads } from "./download-lines.js";
import { showLocalTimes } from "./local-time.js";
import "./sent-forms.js";

const button = document.querySelector("#theme");
if (button) {
  button.hidden = false;
  followTheme(button);
}
showLocalTimes();
followDownloads();
