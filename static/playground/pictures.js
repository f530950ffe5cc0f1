/** Pictures among the files of questions: their tokens, their addresses, and the small views that open them. */
import { element } from "./element.js";

/** @typedef {{id: string, name: string, size: number, media_type: string, width: number, height: number}} Picture */

/** @param {{media_type?: string}} file */
export const isPicture = ({ media_type: type }) => Boolean(type);

/** Act once, as soon as the chat or the question has a picture: most have none. @param {() => void} act */
export function whenPictures(conversation, attachments, act) {
  const look = () => {
    const files = [...attachments.all.map(({ added }) => added ?? {}), ...conversation.messages.flatMap((one) => one.attachments ?? [])];
    if (!files.some(isPicture)) return;
    conversation.removeEventListener("branch", look);
    attachments.removeEventListener("change", look);
    act();
  };
  conversation.addEventListener("branch", look);
  attachments.addEventListener("change", look);
  look();
}

/** @param {Picture} picture @returns {string} "1,200 × 800" */
export const pixels = ({ width, height }) => `${width.toLocaleString("en")} × ${height.toLocaleString("en")}`;

/**
 * About as many as a picture becomes; the server has the same rule (serving/picture_check.py).
 * @param {Picture} picture @param {import("./models.js").Model} [model] none, and one that does not see, reads no tokens
 */
export function tokensOf({ width, height }, model) {
  if (!model?.sees) return 0;
  const { picture_tokens: most, picture_token_pixels: edge } = model;
  if (!edge) return most;
  const [rows, columns] = [height, width].map((length) => Math.floor(length / edge) + 1);
  return Math.min(most, rows * (columns + 1));
}

/** The address of a sent file; on the page of a shared chat a message is found by the link alone. */
export function addressOf(message, file) {
  const token = /^\/s\/([\w-]+)/.exec(location.pathname)?.[1];
  return token ? `/chat/shared/${token}/attachments/${file}/` : `/chat/messages/${message}/attachments/${file}/`;
}

/**
 * A button with a small view of one of some pictures, which opens it large.
 * @param {(Picture & {address: string})[]} pictures @param {number} place
 */
export function thumbnail(pictures, place) {
  const { name, address, width, height } = pictures[place];
  const image = element("img", { src: address, alt: "", width, height, loading: "lazy", decoding: "async" });
  const button = element("button", { type: "button", className: "thumb", title: name, "aria-label": `View ${name}` }, image);
  image.addEventListener("error", () => button.classList.add("is-missing"));
  button.addEventListener("click", async () => {
    const { showPictures } = await import("./lightbox.js"); // few visits need it
    showPictures(pictures, place);
  });
  return button;
}
