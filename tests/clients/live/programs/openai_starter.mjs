// The official npm client against a running server: prints one JSON object, what each case got.
//   node openai_starter.mjs BASE_URL MODEL
import OpenAI from "openai";

const [baseURL, model] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey: "not-needed", maxRetries: 0, timeout: 120_000 });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const city = { type: "object", properties: { city: { type: "string", maxLength: 20 } }, required: ["city"], additionalProperties: false };
const tool = { type: "function", function: { name: "weather", description: "The weather in a city.", parameters: city } };

const cases = {
  async models() {
    return (await client.models.list()).data.map(({ id }) => id);
  },
  async whole() {
    const answer = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 32 });
    return { text: answer.choices[0].message.content, total: answer.usage.total_tokens, reason: answer.choices[0].finish_reason };
  },
  async streamed() {
    const stream = await client.chat.completions.create({ model, messages, temperature: 0, max_tokens: 32, stream: true, stream_options: { include_usage: true } });
    let text = "";
    let total = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      total = chunk.usage?.total_tokens ?? total;
    }
    return { text, total };
  },
  async gathered() {
    const stream = client.chat.completions.stream({ model, messages, tools: [tool], tool_choice: "required", parallel_tool_calls: false, temperature: 0, max_tokens: 60 });
    const { function: called } = (await stream.finalChatCompletion()).choices[0].message.tool_calls[0];
    return { name: called.name, arguments: JSON.parse(called.arguments) };
  },
  async schema() {
    const form = { type: "json_schema", json_schema: { name: "city", schema: city, strict: true } };
    const answer = await client.chat.completions.create({ model, messages, response_format: form, temperature: 1, seed: 5, max_tokens: 60 });
    return JSON.parse(answer.choices[0].message.content);
  },
  async logprobs() {
    const answer = await client.chat.completions.create({ model, messages, logprobs: true, top_logprobs: 3, temperature: 0, max_tokens: 4 });
    return answer.choices[0].logprobs.content.map(({ token, logprob, top_logprobs: top }) => ({ token, logprob, top: top.length }));
  },
  async completion() {
    return (await client.completions.create({ model, prompt: "Once upon", echo: true, max_tokens: 4, temperature: 0 })).choices[0].text;
  },
  async response() {
    const first = await client.responses.create({ model, input: messages[0].content, temperature: 0, max_output_tokens: 32 });
    const events = [];
    const stream = await client.responses.create({ model, input: "Are you sure?", previous_response_id: first.id, stream: true, max_output_tokens: 8 });
    for await (const event of stream) events.push(event.type);
    return { text: first.output_text, first: events[0], last: events.at(-1) };
  },
  async responded() {
    const stream = client.responses.stream({ model, input: messages[0].content, temperature: 0, max_output_tokens: 32 });
    const { status, output_text: text, temperature } = await stream.finalResponse();
    return { status, text, temperature };
  },
  async refused() {
    const wrong = await client.chat.completions.create({ model, messages, temperature: 9 }).catch((error) => error);
    return { status: wrong.status, param: wrong.param, code: wrong.code };
  },
  async unknown() {
    const wrong = await client.chat.completions.create({ model: "nobody", messages }).catch((error) => error);
    return { status: wrong.status, kind: wrong.constructor.name };
  },
};

const told = {};
for (const [name, run] of Object.entries(cases)) told[name] = await run();
console.log(JSON.stringify(told));
