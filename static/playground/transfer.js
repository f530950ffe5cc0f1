/** Import of chats from files of any known format, and the menu that exports all of them. */
import { Popup } from "./popup.js";
import { toast } from "./toast.js";

/**
 * @param {import("./library.js").Library} library
 * @param {(id: string) => void} onOpen
 */
export function offerTransfer(library, onOpen) {
  const input = document.querySelector("#import-file");
  const take = async (files) => {
    const { importChats } = await import("./chat-import.js"); // few visits need it
    await importChats(files, library, onOpen);
  };
  document.querySelector("#import").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) take(files);
  });
  const menu = document.querySelector("#export-menu");
  const popup = new Popup(document.querySelector("#export-all"), menu, () => menu.querySelector("a").focus());
  menu.addEventListener("click", () => { popup.close(); toast("Your chats are being exported."); });
}
