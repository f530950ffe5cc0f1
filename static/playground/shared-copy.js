/** The button of a shared chat that copies it into the visitor's own chats. */
import { call } from "./api.js";
import { toast } from "./toast.js";

/** @param {string} token of the shared chat */
export function offerCopy(token) {
  const button = document.querySelector("#copy-shared");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { id } = await call("POST", `/chat/shared/${token}/copy/`, {});
      location.assign(`/c/${id}`);
    } catch (error) {
      toast(error.message);
    } finally {
      button.disabled = false;
    }
  });
}
