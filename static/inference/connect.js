/** The page Connect: buttons that copy, and one that asks the server as the chosen client does. */
import { copy } from "../playground/clipboard.js";
import { DIALECTS } from "./connect-dialects.js";

const LOADS_S = 10;

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(button.parentElement.querySelector("[data-text]").textContent);
    document.querySelector("[data-copied]").textContent = "Copied.";
  });
}

for (const select of document.querySelectorAll(".connect-choice select")) select.addEventListener("change", () => select.form.requestSubmit());

const panel = document.querySelector("#connect-test");
if (panel) prepare(panel);

function prepare(panel) {
  const dialect = DIALECTS[panel.dataset.dialect];
  const button = panel.querySelector("[data-try]");
  const outcome = panel.querySelector("[data-outcome]");
  panel.querySelector("[data-address]").textContent = panel.dataset.origin + dialect.path;
  panel.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    await show(outcome, () => ask(panel, dialect));
    button.disabled = false;
  });
}

/** What came back, with the seconds that go by until it does. */
async function show(outcome, test) {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const tick = () => {
    const why = seconds() > LOADS_S ? ", a model that is not in memory is loaded first" : "";
    write(outcome, "waiting", `Waiting for ${Math.round(seconds())} s${why}…`);
  };
  tick();
  const timer = setInterval(tick, 1000);
  try {
    const { text, prompt, answer } = await test();
    write(outcome, "good", `It works: ${seconds().toFixed(1)} s, ${prompt} tokens in, ${answer} tokens out. It said:`, text || "(nothing)");
  } catch (error) {
    write(outcome, "wrong", error.message);
  } finally {
    clearInterval(timer);
  }
}

function write(outcome, state, line, text = "") {
  const sentence = document.createElement("p");
  sentence.textContent = line;
  sentence.dataset.state = state;
  const block = document.createElement("pre");
  block.textContent = text;
  outcome.replaceChildren(sentence, ...(text ? [block] : []));
}

async function ask({ dataset }, dialect) {
  if (dataset.origin !== location.origin) {
    throw new Error(`This browser reaches the server as ${location.origin}, and a page may ask no other address. Set that above to try it.`);
  }
  const key = document.querySelector("#connect-key").value.trim();
  const headers = { "Content-Type": "application/json", ...dialect.headers(key || "not-needed") };
  const body = JSON.stringify(dialect.body(dataset.model));
  // Without cookies: the key alone has to open it.
  const options = { method: "POST", headers, body, credentials: "omit", cache: "no-store" };
  const response = await fetch(dialect.path, options).catch(() => {
    throw new Error("The server cannot be reached. Is it still running?");
  });
  const found = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(`The server refused it (${response.status}): ${found.error?.message ?? response.statusText}`);
  return dialect.outcome(found);
}
