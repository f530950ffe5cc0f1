/** How clients of each dialect ask, and where its answer has the text and the tokens. */
const QUESTION = "Say hello in one short sentence.";
const MOST_TOKENS = 64;
const bearer = (key) => ({ Authorization: `Bearer ${key}` });
const messages = [{ role: "user", content: QUESTION }];

export const DIALECTS = {
  chat: {
    path: "/v1/chat/completions",
    headers: bearer,
    body: (model) => ({ model, messages, max_tokens: MOST_TOKENS }),
    outcome: ({ choices, usage }) => ({
      text: choices[0].message.content || choices[0].message.reasoning_content,
      prompt: usage.prompt_tokens,
      answer: usage.completion_tokens,
    }),
  },
  responses: {
    path: "/v1/responses",
    headers: bearer,
    body: (model) => ({ model, input: QUESTION, max_output_tokens: MOST_TOKENS, store: false }),
    outcome: ({ output, usage }) => ({
      text: output.flatMap((item) => item.content ?? []).map((part) => part.text ?? "").join(""),
      prompt: usage.input_tokens,
      answer: usage.output_tokens,
    }),
  },
  messages: {
    path: "/v1/messages",
    headers: (key) => ({ "x-api-key": key, "anthropic-version": "2023-06-01" }),
    body: (model) => ({ model, messages, max_tokens: MOST_TOKENS }),
    outcome: ({ content, usage }) => ({
      text: content.map((block) => block.text ?? block.thinking ?? "").join(""),
      prompt: usage.input_tokens + (usage.cache_read_input_tokens ?? 0),
      answer: usage.output_tokens,
    }),
  },
};
