import { ChatOpenAI } from "@langchain/openai";
import { expect, test } from "vitest";
import { createChatModel, DEFAULT_MODEL, OfflineChatModel } from "../../agents/index.ts";
import { reply, startOpenAiServer } from "../support/openai-server.ts";

test("without a key and an address, the offline model is used", async () => {
  expect(await createChatModel()).toBeInstanceOf(OfflineChatModel);
  expect(await createChatModel({ openaiModel: "m", openaiApiKey: "", openaiBaseUrl: "" })).toBeInstanceOf(
    OfflineChatModel,
  );
});

test("a key alone means OpenAI and the default model", async () => {
  const model = await createChatModel({ openaiApiKey: "secret" });
  expect(model).toBeInstanceOf(ChatOpenAI);
  expect((model as ChatOpenAI).model).toBe(DEFAULT_MODEL);
});

test("a local server needs no key, and is asked for the configured model", async () => {
  await using server = await startOpenAiServer([reply("Hello"), reply("Hello")]);
  expect((await (await createChatModel({ openaiBaseUrl: server.url, openaiModel: "llama" })).invoke("Hi")).text).toBe(
    "Hello",
  );
  await (await createChatModel({ openaiBaseUrl: server.url, openaiApiKey: "secret" })).invoke("Hi");
  expect(server.requests[0]?.body.model).toBe("llama");
  expect(server.requests[1]?.headers.authorization).toBe("Bearer secret");
});
