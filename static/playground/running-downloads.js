/** The quiet lines about downloads, for visitors who may manage models; one that is there ends with the way to use it. */
import { element, place } from "./element.js";

/** The lines of the downloads that this page has seen running, until each is hidden. */
class DownloadLines {
  /** @param {import("./models.js").Models} models @param {() => void} onUse after a model was chosen here */
  constructor(models, onUse) {
    this.models = models;
    this.onUse = onUse;
    this.root = document.querySelector("#downloads");
    this.running = this.root.querySelector(".downloads-running");
    this.ended = this.root.querySelector(".downloads-ended");
    /** @type {Map<string, HTMLElement>} */
    this.lines = new Map();
    models.addEventListener("change", () => this.show());
    this.show();
  }

  show() {
    for (const { id, state } of this.models.downloads) {
      if (state === "running" && !this.isRunning(id)) this.lines.set(id, element("p", { data: { download: id } }));
    }
    for (const [id, line] of this.lines) this.fill(id, line);
    const lines = [...this.lines.values()];
    place(this.running, lines.filter(({ dataset }) => dataset.state === "running"));
    place(this.ended, lines.filter(({ dataset }) => dataset.state !== "running"));
    this.root.hidden = !lines.length;
  }

  isRunning(id) {
    return this.lines.get(id)?.dataset.state === "running";
  }

  /** @param {string} id @param {HTMLElement} line */
  fill(id, line) {
    const download = this.models.downloads.find((one) => one.id === id);
    const state = download?.state ?? "discarded";
    const canUse = state === "done" && Boolean(this.models.find(id));
    const shown = `${state} ${download?.percent} ${canUse}`;
    if (line.dataset.shown === shown) return; // a link keeps the focus while models change
    Object.assign(line.dataset, { state, shown });
    line.replaceChildren(textOf(id, download), ...(canUse ? [" ", this.link(id)] : []), ...(state === "running" ? [] : [" ", this.hide(id)]));
  }

  link(id) {
    const use = (event) => {
      event.preventDefault();
      this.models.pick(id);
      this.drop(id);
      this.onUse();
    };
    return element("a", { href: `/?model=${encodeURIComponent(id)}`, onclick: use }, "Chat now", element("span", { className: "unseen" }, ` with ${id}`));
  }

  hide(id) {
    return element("button", { type: "button", onclick: () => this.drop(id), "aria-label": `Hide the download of ${id}` }, "Hide");
  }

  drop(id) {
    this.lines.delete(id);
    this.show();
  }
}

/** @param {string} id @param {{state: string, percent: number | null, message: string}} [download] none once it is discarded */
function textOf(id, download) {
  if (download?.state === "running") return `Downloading ${id}${download.percent === null ? "…" : `, ${download.percent}\u00a0%`}`;
  if (download?.state === "done") return `Downloaded ${id}.`;
  return `Not downloaded: ${id}. ${download?.message ?? "It was discarded."}`;
}

/** @param {import("./models.js").Models} models @param {() => void} onUse */
export function showDownloads(models, onUse) {
  new DownloadLines(models, onUse);
}
