/** Loads the lines about downloads once one runs: most visits see none. */

/** @param {import("./models.js").Models} models @param {() => void} onUse after a model was chosen in a line */
export function followDownloads(models, onUse) {
  if (!document.querySelector("#downloads")) return; // the visitor may not manage models
  const look = async () => {
    if (!models.downloads.some(({ state }) => state === "running")) return;
    models.removeEventListener("change", look);
    const { showDownloads } = await import("./running-downloads.js");
    showDownloads(models, onUse);
  };
  models.addEventListener("change", look);
}
