/** Text files that are added to a question: pasted, dropped or chosen, and shown with their size. */
import { count } from "./format.js";
import { toast } from "./toast.js";

const MAX_BYTES = 500_000;
const BYTES_PER_TOKEN = 4;

/** @param {HTMLTextAreaElement} field receives the files' text @param {() => void} onChange */
export function acceptFiles(field, onChange) {
  const input = document.querySelector("#attach-file");
  const add = async (files) => {
    for (const file of files) await append(field, file);
    onChange();
  };
  document.querySelector("#attach").addEventListener("click", () => input.click());
  input.addEventListener("change", async () => { await add([...input.files]); input.value = ""; });
  field.addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (!files.length) return;
    event.preventDefault();
    add(files);
  });
  const dock = document.querySelector(".app");
  dock.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
  dock.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    add([...event.dataTransfer.files]);
  });
}

async function append(field, file) {
  if (file.size > MAX_BYTES) return toast(`${file.name} is larger than ${count(MAX_BYTES / 1000)} kB; paste the relevant part instead.`);
  const text = await file.text();
  // Only text makes sense to the model.
  if (text.includes("\u0000") || text.includes("\uFFFD")) return toast(`${file.name} is not a text file.`);
  const fence = "`".repeat(Math.max(3, longestFence(text) + 1));
  const separator = field.value && !field.value.endsWith("\n") ? "\n\n" : "";
  field.value += `${separator}${file.name}\n${fence}\n${text.trimEnd()}\n${fence}\n`;
  return toast(`${file.name} was added, about ${count(Math.ceil(text.length / BYTES_PER_TOKEN))} tokens.`);
}

const longestFence = (text) => Math.max(0, ...(text.match(/`{3,}/g) ?? []).map((marks) => marks.length));
