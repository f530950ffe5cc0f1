/** The model that the page's address names, as in `/?model=org/name`: links of other pages begin a chat with it. */

/** Use it for the new chat; one that is not here is asked for as any other that is gone. @param {import("./models.js").Models} models */
export function takeModelOfAddress(models) {
  const id = new URLSearchParams(location.search).get("model");
  if (!id) return;
  history.replaceState(null, "", location.pathname);
  if (models.find(id)) models.pick(id);
  else models.use(id);
}
