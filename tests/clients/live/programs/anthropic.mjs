// Anthropic's official client.
import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { zodOutputFormat } from "@anthropic-ai/sdk/helpers/zod";
import { z } from "zod";
import { DESCRIPTION, HELLO, KEY, MAX_TOKENS, MODEL, RESULT, TIMEOUT_MS, URL, main } from "./case.mjs";

const client = new Anthropic({ baseURL: URL, apiKey: KEY, maxRetries: 0, timeout: TIMEOUT_MS });
const Light = z.object({ on: z.boolean() });
const body = (prompt) => ({ model: MODEL, max_tokens: MAX_TOKENS, messages: [{ role: "user", content: prompt }] });
const textOf = (message) => message.content.map(({ text }) => text ?? "").join("");

const messages = {
  async answer(model, prompt) {
    return textOf(await client.messages.create({ ...body(prompt), model }));
  },
  async *pieces(prompt) {
    for await (const event of client.messages.stream(body(prompt))) {
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") yield event.delta.text;
    }
  },
  async toolLoop() {
    let called;
    const tool = betaZodTool({
      name: "set_light",
      description: DESCRIPTION,
      inputSchema: Light,
      run: (given) => {
        called = given;
        return RESULT;
      },
    });
    const last = await client.beta.messages.toolRunner({ ...body(HELLO), tools: [tool] });
    return { text: textOf(last), arguments: called };
  },
  async structured() {
    const made = await client.messages.parse({ ...body(HELLO), output_config: { format: zodOutputFormat(Light) } });
    return made.parsed_output;
  },
};

await main({ messages });
