// The official client, Chat Completions and Responses.
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { DESCRIPTION, HELLO, KEY, MAX_TOKENS, MODEL, PARAMETERS, RESULT, TIMEOUT_MS, V1, main } from "./case.mjs";

const client = new OpenAI({ baseURL: V1, apiKey: KEY, maxRetries: 0, timeout: TIMEOUT_MS });
const Light = z.object({ on: z.boolean() });
const user = (content) => ({ role: "user", content });

const chat = {
  async answer(model, prompt) {
    const made = await client.chat.completions.create({ model, messages: [user(prompt)] });
    return made.choices[0].message.content;
  },
  async *pieces(prompt) {
    const body = { model: MODEL, messages: [user(prompt)], max_completion_tokens: MAX_TOKENS, stream: true };
    for await (const chunk of await client.chat.completions.create(body)) {
      if (chunk.choices[0]?.delta.content) yield chunk.choices[0].delta.content;
    }
  },
  async toolLoop() {
    let called;
    const run = client.chat.completions.runTools({
      model: MODEL,
      messages: [user(HELLO)],
      tools: [
        {
          type: "function",
          function: {
            name: "set_light",
            description: DESCRIPTION,
            parameters: PARAMETERS,
            parse: JSON.parse,
            function: (given) => {
              called = given;
              return RESULT;
            },
          },
        },
      ],
    });
    return { text: await run.finalContent(), arguments: called };
  },
  async structured() {
    const body = { model: MODEL, messages: [user(HELLO)], response_format: zodResponseFormat(Light, "light") };
    return (await client.chat.completions.parse(body)).choices[0].message.parsed;
  },
};

const tool = { type: "function", name: "set_light", description: DESCRIPTION, parameters: PARAMETERS, strict: true };
const responses = {
  async answer(model, prompt) {
    return (await client.responses.create({ model, input: prompt })).output_text;
  },
  async *pieces(prompt) {
    const body = { model: MODEL, input: prompt, max_output_tokens: MAX_TOKENS, stream: true };
    for await (const event of await client.responses.create(body)) {
      if (event.type === "response.output_text.delta") yield event.delta;
    }
  },
  async toolLoop() {
    const first = await client.responses.create({ model: MODEL, input: HELLO, tools: [tool] });
    const call = first.output.find(({ type }) => type === "function_call");
    const result = { type: "function_call_output", call_id: call.call_id, output: RESULT };
    const input = [user(HELLO), ...first.output, result];
    const last = await client.responses.create({ model: MODEL, input, tools: [tool], store: false });
    return { text: last.output_text, arguments: JSON.parse(call.arguments) };
  },
  async structured() {
    const body = { model: MODEL, input: HELLO, text: { format: zodTextFormat(Light, "light") } };
    return (await client.responses.parse(body)).output_parsed;
  },
};

await main({ chat, responses });
