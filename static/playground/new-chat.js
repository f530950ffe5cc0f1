/** The id that the next new chat gets: a question that is sent twice, since its answer was lost, begins one chat. */
const NAME = "mlxsite.new";

let id = attempt(() => sessionStorage.getItem(NAME)) ?? renewed();

function attempt(act) {
  try { return act(); } catch { return null; }
}

/** A random UUID; `crypto.randomUUID` is missing on pages that are not served by HTTPS. */
function renewed() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const made = digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  attempt(() => sessionStorage.setItem(NAME, made));
  return made;
}

export const newChatId = () => id;

/** Call it once a chat has been begun. */
export function renewChatId() {
  id = renewed();
}
