// Vercel's AI SDK with three providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { DESCRIPTION, HELLO, KEY, MAX_TOKENS, MODEL, RESULT, V1, main } from "./case.mjs";

const Light = z.object({ on: z.boolean() });

function casesOf(provider) {
  return {
    async answer(model, prompt) {
      return (await generateText({ model: provider(model), prompt, maxRetries: 0 })).text;
    },
    async *pieces(prompt) {
      const controller = new AbortController();
      const model = provider(MODEL);
      const run = { model, prompt, maxOutputTokens: MAX_TOKENS, maxRetries: 0, abortSignal: controller.signal };
      try {
        for await (const part of streamText(run).fullStream) {
          if (part.type === "error") throw part.error;
          if (part.type === "text-delta") yield part.text;
        }
      } finally {
        controller.abort();
      }
    },
    async toolLoop() {
      let called;
      const execute = (given) => {
        called = given;
        return RESULT;
      };
      const tools = { set_light: tool({ description: DESCRIPTION, inputSchema: Light, execute }) };
      const run = { model: provider(MODEL), prompt: HELLO, tools, stopWhen: stepCountIs(3), maxRetries: 0 };
      const { text } = await generateText(run);
      return { text, arguments: called };
    },
    async structured() {
      const output = Output.object({ schema: Light });
      const run = { model: provider(MODEL), prompt: HELLO, output, maxRetries: 0 };
      return (await generateText(run)).output;
    },
  };
}

const openai = createOpenAI({ baseURL: V1, apiKey: KEY });
const compatible = createOpenAICompatible({ name: "mlx", baseURL: V1, supportsStructuredOutputs: true });
const anthropic = createAnthropic({ baseURL: V1, apiKey: KEY });
await main({
  openai: casesOf(openai),
  openai_chat: casesOf(openai.chat),
  openai_compatible: casesOf(compatible),
  anthropic: casesOf(anthropic),
});
