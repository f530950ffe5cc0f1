/** The ways to answer a question again, as the entries of a menu: each names what it changes. */
import { count, size } from "./format.js";
import { defaultsOf, defaultText } from "./model-defaults.js";
import { stateText } from "./models.js";

const CREATIVE = 1.2;
const PRECISE = 0.2;
const STEP = 0.3;
const MAX_TEMPERATURE = 2;

/**
 * @param {import("./conversation.js").Message} message the answer
 * @param {import("./models.js").Models} models
 * @param {object} current the fields of a question with the current settings, without its model
 * @param {{regenerate: (question?: object) => void, replay: () => void}} acts
 * @returns {import("./message-menu.js").Entry[]}
 */
export function waysToRegenerate(message, models, current, { regenerate, replay }) {
  const { made, model } = message;
  const isServed = models.all.some(({ id }) => id === model);
  const base = made ?? { model, ...current };
  const again = withoutSeed(base);
  return [
    { name: "With the current settings", detail: models.picked?.id ?? "", act: () => regenerate() },
    { name: "Same model", ...(isServed ? { detail: `${model}, with the settings of this answer` } : gone(model)), act: () => regenerate(again) },
    ...(made ? [{ name: "Replay with the same seed", ...(isServed ? { detail: "shows what differs" } : gone(model)), act: replay }] : []),
    ...(isServed ? [{ heading: "Same model, other settings" }, ...otherSettings(again, regenerate)] : []),
    ...otherModels(models, model, (id) => regenerate({ ...current, model: id })),
  ];
}

const gone = (model) => ({ isOff: true, detail: model ? `${model} is not on this server any more` : "The model is not known" });

function otherSettings(base, regenerate) {
  const { temperature: set, max_tokens: limit } = base;
  const current = set === undefined ? defaultsOf(base.model).then(({ temperature }) => temperature) : Promise.resolve({ value: set });
  const at = (changed) => ({
    detail: current.then((found) => temperatureText(changed(found?.value), found)),
    act: async () => regenerate({ ...base, temperature: changed((await current)?.value) }),
  });
  return [
    ...(set === MAX_TEMPERATURE ? [] : [{ name: "More creative", ...at(warmer) }]),
    ...(set === 0 ? [] : [{ name: "More precise", ...at(cooler) }]),
    ...(limit ? [{ name: "Longer", detail: `at most ${count(2 * limit)} tokens instead of ${count(limit)}`, act: () => regenerate({ ...base, max_tokens: 2 * limit }) }] : []),
  ];
}

const warmer = (now = 0) => Math.min(MAX_TEMPERATURE, Math.max(CREATIVE, rounded(now + STEP)));
const cooler = (now = 1) => (now <= PRECISE ? 0 : PRECISE);

/** "temperature 1.2 instead of 0.6, the model's" @param {import("./model-defaults.js").Default} [found] without a source where it was set */
function temperatureText(value, found) {
  const now = found && (found.source === undefined ? String(found.value) : defaultText(found));
  return `temperature ${value}${now ? ` instead of ${now}` : ""}`;
}

/** Loaded models first: they answer at once. */
function otherModels({ all }, model, ask) {
  const isLoaded = ({ state }) => state === "ready" || state === "busy";
  const others = all.filter(({ id }) => id !== model).sort((one, other) => isLoaded(other) - isLoaded(one));
  if (!others.length) return [];
  return [{ heading: "Another model, with the current settings" }, ...others.map((other) => ({
    name: other.id,
    detail: isLoaded(other) ? "loaded" : stateText(other) || `not loaded yet, ${size(other.resident_bytes)}`,
    act: () => ask(other.id),
  }))];
}

/** Another draw: with its seed it would be the same answer again. */
function withoutSeed({ seed, ...question }) {
  return question;
}

const rounded = (value) => Math.round(value * 100) / 100;
