/** Loading and unloading models, for those who may: with a question where others have to go, and with errors in words. */
import { call } from "./api.js";
import { ask } from "./dialog.js";
import { toast } from "./toast.js";

const REPORT_AFTER_MS = 600; // until then the list may still have the state from before the load

export class ModelLoading {
  /** @param {import("./models.js").Models} models @param {HTMLElement} place where questions are asked */
  constructor(models, place) {
    this.models = models;
    this.place = place;
    /** @type {Set<string>} the models that were asked for here and are not loaded yet */
    this.pending = new Set();
    models.addEventListener("change", () => this.#report());
  }

  /** @param {import("./models.js").Model} model */
  async load({ id }) {
    await attempt(async () => {
      const preview = await call("POST", "/api/models/preview", { model: id });
      if (preview.displaces_models && !(await ask(this.place, { title: `Load ${id}?`, texts: [preview.text], act: "Load" }))) return;
      await call("POST", "/api/models/load", { model: id });
      setTimeout(() => { this.pending.add(id); this.#report(); }, REPORT_AFTER_MS);
    });
  }

  /** Active requests finish first. @param {import("./models.js").Model} model */
  async unload({ id, state }) {
    await attempt(async () => {
      await call("POST", "/api/models/unload", { model: id });
      if (state === "busy") toast(`${id} is unloaded as soon as its answers have ended.`);
    });
  }

  #report() {
    for (const id of this.pending) {
      const model = this.models.find(id);
      if (model?.state === "failed") toast(`${id} could not be loaded: ${model.reason || "the reason is not known"}`);
      if (!model || !["loading", "unloaded"].includes(model.state)) this.pending.delete(id);
    }
  }
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    toast(error.message);
  }
}
