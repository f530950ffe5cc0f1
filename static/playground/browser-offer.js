/** What this browser keeps from before its visitor signed in, and the offer to give it to the account. */
import { element } from "./element.js";
import { count } from "./format.js";
import { PromptLibrary } from "./prompt-library.js";
import { store } from "./store.js";
import { toast } from "./toast.js";

const LONGEST_VALUE = 20;

/**
 * @typedef {{text: string, act: string, take: () => Promise<void>}} Offer
 * @param {{account: string, favourites: import("./favourites.js").Favourites, defaults: import("./my-defaults.js").MyDefaults}} mine
 */
export function offerBrowserContents({ account, favourites, defaults }) {
  const prompts = new PromptLibrary(account);
  const left = `left-in-browser.${account}`;
  const offers = [favouritesOffer(favourites), promptsOffer(prompts), defaultsOffer(defaults)].filter(Boolean);
  const signature = offers.map(({ text }) => text).join("\n");
  if (offers.length && store.read(left) !== signature) show(offers, () => store.write(left, signature));
}

/** @param {Offer[]} offers @param {() => void} onLeave */
function show(offers, onLeave) {
  const root = document.querySelector("#browser-offer");
  const list = element("ul", {}, ...offers.map((offer) => row(offer, () => { if (!list.children.length) hide(); else list.querySelector("button").focus(); })));
  const hide = () => { root.hidden = true; document.querySelector("#prompt").focus(); };
  root.replaceChildren(element("p", {}, "This browser has data from before you signed in:"), list,
    element("button", { type: "button", className: "plain", onclick: () => { onLeave(); hide(); } }, "Leave them"));
  root.hidden = false;
  const sidebar = document.querySelector("#sidebar");
  const look = () => { document.querySelector("#sidebar-toggle").click(); list.querySelector("button").focus(); };
  if (sidebar.hidden) toast("This browser has data from before you signed in.", { name: "Show", act: look }); // as on a phone
}

/** @param {Offer} offer @param {() => void} onTaken */
function row({ text, act, take }, onTaken) {
  const button = element("button", { type: "button", className: "firm", "aria-label": `${act}: ${text}` }, act);
  const root = element("li", {}, element("span", {}, text), button);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await take();
      root.remove();
      onTaken();
    } catch (error) {
      button.disabled = false;
      toast(error.message);
    }
  });
  return root;
}

/** @returns {Offer | null} */
function favouritesOffer(favourites) {
  const number = favourites.offered.length;
  if (!number) return null;
  const text = number === 1 ? "1 favourite model" : `${count(number)} favourite models`;
  return { text, act: "Add", take: async () => {
    await favourites.takeOffered();
    toast(`${text} ${number === 1 ? "was" : "were"} added to your account.`);
  } };
}

/** @returns {Offer | null} */
function promptsOffer(prompts) {
  const { offered: number } = prompts;
  if (!number) return null;
  const text = number === 1 ? "1 saved prompt" : `${count(number)} saved prompts`;
  return { text, act: "Add", take: async () => {
    await prompts.takeOffered();
    toast(`${text} ${number === 1 ? "was" : "were"} added to your account.`);
  } };
}

/** @returns {Offer | null} */
function defaultsOffer(defaults) {
  const settings = Object.entries(defaults.offered);
  if (!settings.length) return null;
  const hasOwn = Object.keys(defaults.values).length > 0;
  const text = `Default settings: ${settings.map(settingText).join(", ")}${hasOwn ? ". They would replace your account’s." : ""}`;
  return { text, act: "Use as my defaults", take: async () => {
    const undo = await defaults.takeOffered();
    toast("New chats begin with these settings.", { name: "Undo", act: () => undo().catch((error) => toast(error.message)) });
  } };
}

/** "Temperature 0.2"; a long value is left out. */
function settingText([name, value]) {
  const field = document.querySelector(`#settings-panel [name=${name}]`);
  const label = field.getAttribute("aria-label") ?? field.labels[0].firstChild.textContent.trim();
  return value.length > LONGEST_VALUE || value.includes("\n") ? label : `${label} ${value}`;
}
