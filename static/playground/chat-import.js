/** The import of chats from files: progress in a dialog if it takes long, and a report of what came. */
import { ImportDialog } from "./import-dialog.js";
import { toast } from "./toast.js";
import { importFile } from "./upload.js";

const DIALOG_AFTER_MS = 700; // most imports are done before that

/**
 * @param {File[]} files
 * @param {import("./library.js").Library} library
 * @param {(id: string) => void} onOpen
 * @param {boolean} takesCopies import again what was imported before
 */
export async function importChats(files, library, onOpen, takesCopies = false) {
  const report = await imported(files, takesCopies);
  await library.refresh();
  show(report, onOpen, () => importChats(files, library, onOpen, true));
}

/** Import files one after the other; the reports become one. */
async function imported(files, takesCopies) {
  const controller = new AbortController();
  const dialog = new ImportDialog(() => controller.abort());
  const timer = setTimeout(() => dialog.open(), DIALOG_AFTER_MS);
  const total = { imported: 0, duplicate: 0, failed: 0, chats: [], errors: [], dialog, is_cancelled: false };
  for (const [place, file] of files.entries()) {
    const onProgress = (share, count) => dialog.progress((place + share) / files.length, count);
    try {
      add(total, await importFile(file, { takesCopies, onProgress, signal: controller.signal }), file.name);
    } catch (error) {
      addError(total, file.name, error.code ? error.message : "This file could not be read.");
    }
    if (controller.signal.aborted) break;
  }
  clearTimeout(timer);
  return total;
}

function add(total, state, name) {
  for (const outcome of ["imported", "duplicate", "failed"]) total[outcome] += state[outcome];
  total.chats.push(...state.chats);
  total.is_cancelled ||= state.is_cancelled;
  if (state.error) addError(total, name, state.error);
}

function addError(total, name, error) {
  total.errors.push(error);
  total.failed += 1;
  total.chats.unshift({ outcome: "failed", title: name, id: "", note: error });
}

/** One chat is opened, one problem is a notice; anything else is a report. */
function show(report, onOpen, onCopies) {
  const { dialog, chats, is_cancelled: isCancelled } = report;
  const [only] = chats;
  if (chats.length !== 1 || isCancelled || (only.note && only.id)) {
    dialog.report(report, onCopies);
    return;
  }
  const isWaitedFor = !dialog.isLeft;
  dialog.close();
  if (only.id && isWaitedFor) onOpen(only.id);
  if (only.outcome === "failed") toast(only.note);
  if (only.outcome === "imported") toast(`“${only.title}” was imported.`, isWaitedFor ? undefined : { name: "Open", act: () => onOpen(only.id) });
  if (only.outcome === "duplicate") toast("This chat was imported before.", { name: "Import again", act: onCopies });
}
