// Adapters of the clients in Node: OpenAI's, Anthropic's, and the AI SDK with three providers. Reads one question a
// line, {"client", "ask" | "embed" | "models" | "count", ...}, and writes one answer a line; neutral.py says what they hold.

import { createInterface } from "node:readline";
import { readFileSync } from "node:fs";

import { createAmazonBedrock } from "@ai-sdk/amazon-bedrock";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import Anthropic from "@anthropic-ai/sdk";
import { embedMany, generateText, jsonSchema, Output, streamText, tool } from "ai";
import OpenAI from "openai";

const [base, key, access] = JSON.parse(process.argv[2]);
const PATIENCE_MS = 60_000;
const STOPS = {
  stop: "end", length: "length", tool_calls: "tools", content_filter: "refused", end_turn: "end", max_tokens: "length",
  tool_use: "tools", refusal: "refused", completed: "end", max_output_tokens: "length", "tool-calls": "tools",
  "content-filter": "refused",
};
const stop = (word) => STOPS[word] ?? word;
const usage = (input, output, cached, written) => ({ input, output, cached: cached ?? 0, written: written ?? 0 });
const parsed = (text) => (text ? JSON.parse(text) : {});
const version = (name) => JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url))).version;

const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0, timeout: PATIENCE_MS });
const anthropic = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0, timeout: PATIENCE_MS });

const image = (turn) => `data:image/png;base64,${turn.image}`;

/** Chat completions by OpenAI's client. */
function chatArguments(q) {
  const messages = q.system ? [{ role: "system", content: q.system }] : [];
  for (const turn of q.turns) {
    if ("user" in turn) {
      const content = turn.image
        ? [{ type: "text", text: turn.user }, { type: "image_url", image_url: { url: image(turn) } }]
        : turn.user;
      messages.push({ role: "user", content });
    } else if ("assistant" in turn) messages.push(turn.assistant.raw);
    else for (const [id, text] of turn.results) messages.push({ role: "tool", tool_call_id: id, content: text });
  }
  const args = { model: q.model, messages, max_tokens: q.most };
  const functions = q.tools.map((t) => ({ name: t.name, description: t.description, parameters: t.schema }));
  if (functions.length) args.tools = functions.map((f) => ({ type: "function", function: f }));
  if (q.choice) args.tool_choice = { type: "function", function: { name: q.choice } };
  if (q.schema) args.response_format = { type: "json_schema", json_schema: { name: "answer", schema: q.schema, strict: true } };
  if (q.temperature !== null) args.temperature = q.temperature;
  if (q.stops.length) args.stop = q.stops;
  return args;
}

async function chat(q) {
  const args = chatArguments(q);
  let got, pieces = 0;
  if (q.stream) {
    const stream = openai.chat.completions.stream({ ...args, stream_options: { include_usage: true } });
    for await (const chunk of stream) {
      pieces += chunk.choices[0]?.delta.content ? 1 : 0;
      if (q.leave_after && pieces === q.leave_after) {
        stream.abort();
        return { pieces };
      }
    }
    got = await stream.finalChatCompletion();
  } else got = await openai.chat.completions.create(args);
  const { message, finish_reason } = got.choices[0];
  const calls = (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: parsed(c.function.arguments) }));
  const raw = { role: "assistant", content: message.content ?? null };
  if (calls.length) raw.tool_calls = message.tool_calls.map(({ id, function: f }) =>
    ({ id, type: "function", function: { name: f.name, arguments: f.arguments || "{}" } }));
  const u = got.usage;
  const told = u && usage(u.prompt_tokens, u.completion_tokens, u.prompt_tokens_details?.cached_tokens, u.prompt_tokens_details?.cache_write_tokens);
  return { text: message.content ?? "", calls, stop: stop(finish_reason), usage: told, pieces, raw };
}

async function responses(q) {
  const input = [];
  for (const turn of q.turns) {
    if ("user" in turn) {
      const content = [{ type: "input_text", text: turn.user }];
      if (turn.image) content.push({ type: "input_image", image_url: image(turn), detail: "auto" });
      input.push({ role: "user", content });
    } else if ("assistant" in turn) input.push(...turn.assistant.raw);
    else for (const [id, text] of turn.results) input.push({ type: "function_call_output", call_id: id, output: text });
  }
  const args = { model: q.model, input, max_output_tokens: q.most, store: false };
  if (q.system) args.instructions = q.system;
  if (q.tools.length) args.tools = q.tools.map((t) =>
    ({ type: "function", name: t.name, description: t.description, parameters: t.schema, strict: false }));
  if (q.choice) args.tool_choice = { type: "function", name: q.choice };
  if (q.schema) args.text = { format: { type: "json_schema", name: "answer", schema: q.schema, strict: true } };
  if (q.temperature !== null) args.temperature = q.temperature;
  let got, pieces = 0;
  if (q.stream) {
    const stream = await openai.responses.create({ ...args, stream: true });
    for await (const event of stream) {
      pieces += event.type === "response.output_text.delta" ? 1 : 0;
      if (q.leave_after && pieces === q.leave_after) {
        stream.controller.abort();
        return { pieces };
      }
      if (event.type === "error") throw new Error(event.message);
      if (event.type === "response.failed") throw new Error(event.response.error.message);
      if (event.type === "response.completed" || event.type === "response.incomplete") got = event.response;
    }
    if (!got) throw new Error("the stream ended without its last event");
  } else got = await openai.responses.create(args);
  const calls = got.output.filter((item) => item.type === "function_call")
    .map((item) => ({ id: item.call_id, name: item.name, args: parsed(item.arguments) }));
  const text = got.output.filter((item) => item.type === "message")
    .flatMap((item) => item.content).map((part) => part.text ?? "").join("");
  const u = got.usage;
  const told = u && usage(u.input_tokens, u.output_tokens, u.input_tokens_details?.cached_tokens, u.input_tokens_details?.cache_write_tokens);
  const end = calls.length ? "tools" : stop(got.incomplete_details?.reason ?? got.status);
  const raw = got.output.filter((item) => item.type !== "reasoning");
  return { text, calls, stop: end, usage: told, pieces, raw };
}

async function messages(q) {
  const said = q.turns.map((turn) => {
    if ("user" in turn) {
      const content = [{ type: "text", text: turn.user }];
      if (turn.image) content.push({ type: "image", source: { type: "base64", media_type: "image/png", data: turn.image } });
      return { role: "user", content };
    }
    if ("assistant" in turn) return { role: "assistant", content: turn.assistant.raw };
    return { role: "user", content: turn.results.map(([id, text]) => ({ type: "tool_result", tool_use_id: id, content: text })) };
  });
  const args = { model: q.model, messages: said, max_tokens: q.most };
  if (q.system) args.system = [{ type: "text", text: q.system, ...(q.mark && { cache_control: { type: "ephemeral" } }) }];
  if (q.tools.length) args.tools = q.tools.map((t) => ({ name: t.name, description: t.description, input_schema: t.schema }));
  if (q.choice) args.tool_choice = { type: "tool", name: q.choice };
  if (q.schema) args.output_config = { format: { type: "json_schema", schema: q.schema } };
  if (q.thinking) args.thinking = { type: "enabled", budget_tokens: 1024 };
  if (q.stops.length) args.stop_sequences = q.stops;
  let got, pieces = 0;
  if (q.stream) {
    const stream = anthropic.messages.stream(args);
    for await (const event of stream) {
      pieces += event.type === "content_block_delta" && event.delta.type === "text_delta" ? 1 : 0;
      if (q.leave_after && pieces === q.leave_after) {
        stream.abort();
        return { pieces };
      }
    }
    got = await stream.finalMessage();
  } else got = await anthropic.messages.create(args);
  const kind = (name) => got.content.filter((block) => block.type === name);
  const u = got.usage;
  const [read, written] = [u.cache_read_input_tokens ?? 0, u.cache_creation_input_tokens ?? 0];
  const raw = got.content.map((block) =>
    block.type === "text" ? { type: "text", text: block.text }
    : block.type === "tool_use" ? { type: "tool_use", id: block.id, name: block.name, input: block.input }
    : block);
  return {
    text: kind("text").map((b) => b.text).join(""), thoughts: kind("thinking").map((b) => b.thinking).join(""),
    calls: kind("tool_use").map((b) => ({ id: b.id, name: b.name, args: b.input })), stop: stop(got.stop_reason),
    usage: usage(u.input_tokens + read + written, u.output_tokens, read, written), pieces, raw,
  };
}

/** Any provider of the AI SDK. */
const aiSdk = (model, { options } = {}) => async (q) => {
  const messages = [];
  const names = {};
  for (const turn of q.turns) {
    if ("user" in turn) {
      const content = [{ type: "text", text: turn.user }];
      if (turn.image) content.push({ type: "image", image: turn.image, mediaType: "image/png" });
      messages.push({ role: "user", content });
    } else if ("assistant" in turn) {
      messages.push(...turn.assistant.raw);
      for (const call of turn.assistant.calls) names[call.id] = call.name;
    } else {
      const content = turn.results.map(([id, text]) =>
        ({ type: "tool-result", toolCallId: id, toolName: names[id], output: { type: "text", value: text } }));
      messages.push({ role: "tool", content });
    }
  }
  const args = { model: model(q.model), messages, maxOutputTokens: q.most, maxRetries: 0 };
  if (options) args.providerOptions = options(q);
  if (q.system) args.instructions = q.system;
  if (q.tools.length) args.tools = Object.fromEntries(q.tools.map((t) =>
    [t.name, tool({ description: t.description, inputSchema: jsonSchema(t.schema) })]));
  if (q.choice) args.toolChoice = { type: "tool", toolName: q.choice };
  if (q.schema) args.output = Output.object({ schema: jsonSchema(q.schema) });
  if (q.temperature !== null) args.temperature = q.temperature;
  if (q.stops.length) args.stopSequences = q.stops;
  let pieces = 0, got;
  if (q.stream) {
    const leave = new AbortController();
    let broke;
    got = streamText({ ...args, abortSignal: leave.signal, onError: ({ error }) => (broke = error) });
    for await (const part of got.fullStream) {
      pieces += part.type === "text-delta" ? 1 : 0;
      if (q.leave_after && pieces === q.leave_after) {
        leave.abort();
        return { pieces };
      }
      if (part.type === "error") broke = part.error;
    }
    if (broke) throw broke;
  } else got = await generateText(args);
  const [text, thoughts, calls, finish, told, response] = await Promise.all(
    [got.text, got.reasoningText, got.toolCalls, got.finishReason, got.usage, got.response]);
  const u = told && told.inputTokens !== undefined
    ? usage(told.inputTokens, told.outputTokens, told.inputTokenDetails?.cacheReadTokens, told.inputTokenDetails?.cacheWriteTokens)
    : null;
  return {
    text, thoughts: thoughts ?? "", calls: calls.map((c) => ({ id: c.toolCallId, name: c.toolName, args: c.input })),
    stop: stop(finish), usage: u, pieces, raw: response.messages,
  };
};

const viaOpenAI = createOpenAI({ baseURL: `${base}/v1`, apiKey: key });
const viaAnthropic = createAnthropic({ baseURL: `${base}/v1`, apiKey: key });
// A bearer where the realm's token is one, else the signature.
const signed = access && { accessKeyId: access[0], secretAccessKey: access[1], region: "us-east-1", baseURL: base };
const viaBedrock = createAmazonBedrock(signed ?? { apiKey: key, region: "us-east-1", baseURL: base });
const sdk = version("ai");
const clients = {
  "openai-node chat": { dialect: "chat", version: version("openai"), ask: chat },
  "openai-node responses": { dialect: "responses", version: version("openai"), ask: responses },
  "anthropic-node": { dialect: "messages", version: version("@anthropic-ai/sdk"), ask: messages },
  "ai-sdk openai responses": { dialect: "responses", version: sdk, ask: aiSdk((m) => viaOpenAI.responses(m), { options: () => ({ openai: { store: false } }) }) },
  "ai-sdk openai chat": { dialect: "chat", version: sdk, ask: aiSdk((m) => viaOpenAI.chat(m)) },
  "ai-sdk anthropic": {
    dialect: "messages", version: sdk,
    ask: aiSdk((m) => viaAnthropic(m), { options: (q) => ({ anthropic: q.thinking ? { thinking: { type: "enabled", budgetTokens: 1024 } } : {} }) }),
  },
  "ai-sdk bedrock": { dialect: "converse", version: sdk, ask: aiSdk((m) => viaBedrock(m)) },
};

const acts = {
  clients: async () => Object.entries(clients).map(([name, { dialect, version }]) => ({ name, dialect, version })),
  ask: async ({ client, ask }) => clients[client].ask(ask),
  models: async () => (await Array.fromAsync(openai.models.list())).map((m) => m.id),
  embed: async ({ client, model, given, form }) => {
    if (client.startsWith("ai-sdk")) {
      const got = await embedMany({ model: viaOpenAI.embedding(model), values: given, maxRetries: 0 });
      return [got.embeddings, got.usage.tokens];
    }
    const got = await openai.embeddings.create({ model, input: given, ...(form && { encoding_format: form }) });
    return [got.data.map((row) => row.embedding), got.usage.prompt_tokens];
  },
  count: async ({ model }) =>
    (await anthropic.messages.countTokens({ model, messages: [{ role: "user", content: "Hello?" }] })).input_tokens,
};

const said = (error) => {
  const inner = error?.cause ?? error?.lastError ?? error;
  const status = error?.status ?? error?.statusCode ?? inner?.statusCode ?? null;
  return { kind: error?.constructor?.name ?? "Error", status, say: String(error?.message ?? error).slice(0, 400) };
};
globalThis.AI_SDK_LOG_WARNINGS = false;
process.on("unhandledRejection", () => {});
for await (const line of createInterface({ input: process.stdin })) {
  const wish = JSON.parse(line);
  let out;
  try {
    out = { ok: await acts[wish.act](wish) };
  } catch (error) {
    out = { error: said(error) };
  }
  process.stdout.write(`${JSON.stringify(out)}\n`);
}
