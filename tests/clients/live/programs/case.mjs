// What every JavaScript client is asked, and the run of its seven cases: what case.py and run.py are for Python.
//   node CLIENT.mjs URL
export const URL = process.argv[2];
export const V1 = `${URL}/v1`;
export const KEY = "not-needed";
export const MODEL = "tiny";
export const HELLO = "Hello";
export const MAX_TOKENS = 12_000;
export const TIMEOUT_MS = 120_000;
export const DESCRIPTION = "Turn the light on or off.";
export const PARAMETERS = {
  type: "object",
  properties: { on: { type: "boolean" } },
  required: ["on"],
  additionalProperties: false,
};
export const RESULT = "The light is set.";
const ENDLESS = "Sing forever.";
const LONG = "word ".repeat(4000);

async function collected(stream) {
  const texts = [];
  for await (const text of stream) texts.push(text);
  return texts;
}

async function isBusy() {
  const { workers } = await (await fetch(`${URL}/health`)).json();
  return workers.some(({ state }) => state === "busy");
}

// Leave a stream after its first text, and wait until the server does nothing.
async function cancel(stream) {
  await stream.next();
  const wasBusy = await isBusy();
  await stream.return();
  const began = Date.now();
  while ((await isBusy()) && Date.now() - began < 10_000) await new Promise((done) => setTimeout(done, 50));
  return { was_busy: wasBusy, busy_for_s: (Date.now() - began) / 1000 };
}

async function error(answer) {
  try {
    await answer;
  } catch (error) {
    const classes = [error.name];
    for (let kind = error.constructor; kind?.name; kind = Object.getPrototypeOf(kind)) classes.push(kind.name);
    return { classes, message: error.message, code: error.code ?? null };
  }
  return { classes: [], message: "no error", code: null };
}

async function outcome(run) {
  try {
    return { value: await run() };
  } catch (error) {
    return { error: error.stack };
  }
}

// Run the cases of each client and print what they got. A client has, as the modules that run.py takes,
// `answer(model, prompt)`, `pieces(prompt)`, `toolLoop()` and `structured()`.
export async function main(clients) {
  const found = {};
  for (const [name, client] of Object.entries(clients)) {
    const cases = {
      answer: () => client.answer(MODEL, HELLO),
      stream: () => collected(client.pieces(HELLO)),
      tool_loop: () => client.toolLoop(),
      structured: () => client.structured(),
      cancel: () => cancel(client.pieces(ENDLESS)),
      unknown_model: () => error(client.answer("nobody", HELLO)),
      too_long: () => error(client.answer(MODEL, LONG)),
    };
    found[name] = {};
    for (const [name_of_case, run] of Object.entries(cases)) found[name][name_of_case] = await outcome(run);
  }
  console.log(JSON.stringify(found));
}
