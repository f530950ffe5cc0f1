/** The ways in which files reach a question: chosen, taken by a camera, pasted, or dropped on the page, which shows where. */

/** @param {(files: File[]) => void} onFiles */
export function acceptFiles(onFiles) {
  for (const [button, field] of [["#attach", "#attach-file"], ["#take-picture", "#camera"]]) {
    const input = document.querySelector(field);
    document.querySelector(button).addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const files = [...input.files];
      input.value = "";
      onFiles(files);
    });
  }
  acceptPastes(document.querySelector("#prompt"), onFiles);
  acceptDrops((files) => {
    const form = document.activeElement?.closest("form.takes-files"); // a question that is being edited
    if (form) form.dispatchEvent(new CustomEvent("files", { detail: files }));
    else onFiles(files);
  });
}

/** @param {HTMLTextAreaElement} field @param {(files: File[]) => void} onFiles */
export function acceptPastes(field, onFiles) {
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    // Office programs put a picture of a text beside it: the text is what is meant.
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    onFiles(files);
  });
}

/** Entering a child fires before leaving its parent, so the depth is counted. */
function acceptDrops(onFiles) {
  const page = document.querySelector(".app");
  const target = document.querySelector("#drop-target");
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const show = () => { target.hidden = depth <= 0; };
  page.addEventListener("dragenter", (event) => { if (hasFiles(event)) { event.preventDefault(); depth += 1; show(); } });
  page.addEventListener("dragleave", (event) => { if (hasFiles(event)) { depth -= 1; show(); } });
  page.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  page.addEventListener("drop", (event) => {
    depth = 0;
    show();
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    onFiles([...event.dataTransfer.files]);
  });
  // A file that misses the page would replace it, and with it the words in the field.
  for (const type of ["dragover", "drop"]) addEventListener(type, (event) => { if (hasFiles(event)) event.preventDefault(); });
}
