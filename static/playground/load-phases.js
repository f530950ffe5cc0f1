/** What the load of a model is doing, in words; the same as in inference/core/load_progress.py. */
const LOAD_PHASES = {
  starting: "starting its process",
  calibrating: "calibrating the CPU",
  weights: "reading weights",
  verifying: "verifying batch support",
  draft: "reading its draft model",
};

/** @param {{loaded_percent: number, load_phase?: string}} model @returns {string} such as "loading 40 %, reading weights" */
export function loadingText({ loaded_percent: percent, load_phase: phase }) {
  return `loading ${percent} %${phaseText(phase)}`;
}

/** @param {string} [phase] @returns {string} its words behind a comma; empty for one that is not known */
export const phaseText = (phase) => (LOAD_PHASES[phase] ? `, ${LOAD_PHASES[phase]}` : "");
