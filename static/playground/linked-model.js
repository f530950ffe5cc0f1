/** A link such as /?model=ID, as the admin's lists have, begins a chat with that model. */

/** @param {import("./models.js").Models} models */
export function pickLinked(models) {
  const address = new URL(location.href);
  const id = address.searchParams.get("model");
  if (!id) return;
  models.pick(id);
  address.searchParams.delete("model"); // loading the page again must not undo a later choice
  history.replaceState(null, "", address);
}
