/** Which models a list shows, and in which order: what is in memory, then favourites, then the rest. */

const IN_MEMORY = new Set(["ready", "busy", "loading", "draining"]);

export const isInMemory = ({ state }) => IN_MEMORY.has(state);

/** What a list calls the model: its family, or what it is of another one. */
export function kindOf(model) {
  if (!model.base) return model.family;
  return `${model.profile ? "profile" : "adapter"} of ${model.base}`;
}

/**
 * Every word of the filter has to be somewhere in the id, an alias, the family or the base model, in any case.
 * @param {import("./models.js").Model} model @param {string} filter
 */
export function matches(model, filter) {
  const about = [model.id, ...(model.aliases ?? []), model.family, model.base ? kindOf(model) : ""].join("\n").toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => about.includes(word));
}

/**
 * @param {import("./models.js").Model[]} models @param {import("./favourites.js").Favourites} favourites
 * @returns {{name: string, models: import("./models.js").Model[]}[]} without empty groups
 */
export function grouped(models, favourites) {
  const groups = { "In memory": [], Favourites: [], "Other models": [] };
  for (const model of models) {
    const name = isInMemory(model) ? "In memory" : favourites.has(model.id) ? "Favourites" : "Other models";
    groups[name].push(model);
  }
  return Object.entries(groups).map(([name, of]) => ({ name, models: of })).filter(({ models: of }) => of.length);
}
