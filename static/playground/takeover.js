/** Whose chats the list has, and the offer to take over those that were made without an account. */
import { account } from "./account.js";
import { call } from "./api.js";
import { element } from "./element.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const ADDRESS = "/chat/open-conversations/";

/** For a visitor with an account. @param {import("./library.js").Library} library */
export async function offerTakeover(library) {
  document.querySelector("#whose").textContent = `Chats of ${account.name}`;
  const { count, titles } = await call("GET", ADDRESS).catch(() => ({ count: 0, titles: [] }));
  const left = `left.${account.id}`;
  if (count && count !== store.read(left)) show(count, titles, left, library);
}

function show(count, titles, left, library) {
  const root = document.querySelector("#takeover");
  const chats = `${count} ${count === 1 ? "chat" : "chats"}`;
  const hide = () => { root.hidden = true; };
  const button = element("button", { type: "button", className: "firm", onclick: () => take() }, `Take over ${chats}`);
  const take = async () => {
    button.disabled = true;
    try {
      const taken = await call("POST", ADDRESS);
      hide();
      toast(`${taken.count} ${taken.count === 1 ? "chat belongs" : "chats belong"} to ${account.name} now.`);
      await library.refresh();
    } catch (error) {
      button.disabled = false;
      toast(error.message);
    }
  };
  root.replaceChildren(
    element("p", {}, `${chats} on this machine ${count === 1 ? "was" : "were"} made without an account: ${titles.join(", ")}${count > titles.length ? ", …" : "."}`),
    button,
    element("button", { type: "button", className: "plain", onclick: () => { store.write(left, count); hide(); } }, count === 1 ? "Leave it" : "Leave them"),
  );
  root.hidden = false;
  // On a phone the list is closed at first.
  if (document.querySelector("#sidebar").hidden) toast(`${chats} on this machine ${count === 1 ? "was" : "were"} made without an account.`, { name: `Take over ${chats}`, act: () => take() });
}
