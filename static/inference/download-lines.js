/** Keeps the lines about running downloads live on every page of the admin; each ends with the way to a chat. */
import { ask } from "./live-request.js";

const EVERY_MS = 2000;

/** @typedef {{id: string, state: string, text: string, kind: string}} DownloadView */

export function followDownloads() {
  const list = document.querySelector("#running-downloads");
  if (list) setTimeout(follow, EVERY_MS, list);
}

async function follow(list) {
  try {
    if (!document.hidden) update(list, (await (await ask(list.dataset.progress)).json()).downloads);
  } catch (error) {
    for (const text of list.querySelectorAll("[data-running] [data-text]")) text.textContent = error.message;
  }
  if (list.querySelector("[data-running]")) setTimeout(follow, EVERY_MS, list);
}

/** @param {HTMLElement} list @param {DownloadView[]} downloads */
function update(list, downloads) {
  for (const line of list.querySelectorAll("[data-running]")) {
    const view = downloads.find(({ id }) => id === line.dataset.running);
    if (view?.state === "running") line.querySelector("[data-text]").textContent = view.text;
    else end(line, view);
  }
}

/** Say how it ended, where screen readers hear it. @param {HTMLElement} line @param {DownloadView} [view] none once it is discarded */
function end(line, view) {
  const { running: id } = line.dataset;
  const isThere = view?.state === "done";
  delete line.dataset.running;
  line.className = isThere ? "success" : "warning";
  line.querySelector("[data-heading]").textContent = isThere ? "Downloaded" : "Not downloaded:";
  line.querySelector("[data-text]").textContent = isThere ? "" : (view?.text ?? "it was discarded.");
  if (isThere && view.kind === "chat") line.append(chatLink(id));
  document.querySelector("#ended-downloads").append(line);
}

/** @param {string} id of a model */
export function chatLink(id) {
  const link = document.createElement("a");
  link.className = "button";
  link.href = `/?model=${encodeURIComponent(id)}`;
  link.textContent = "Chat now";
  return link;
}
