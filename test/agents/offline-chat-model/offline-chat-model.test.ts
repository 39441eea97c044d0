import { HumanMessage, type AIMessageChunk, ToolMessage } from "@langchain/core/messages";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFeedbackAgent, OfflineChatModel, type AgentAnswer } from "../../../agents/index.ts";
import { summarizeResults } from "../../../agents/offline-chat-model/summarize-results.ts";
import { feedbackTools, type ToolLog } from "../feedback-tools.ts";

async function ask(text: string, onToken?: (token: string) => void): Promise<AgentAnswer & { log: ToolLog }> {
  const log: ToolLog = { processed: [], analysed: [] };
  const agent = await createFeedbackAgent({ tools: feedbackTools(log) });
  const answer = await agent.ask(text, onToken && { onToken });
  await agent.close();
  return { ...answer, log };
}

describe("an agent on the offline model", () => {
  test("processes feedback, reports the tool's result, and says that it is an offline model", async () => {
    const { text, toolCalls, log } = await ask(
      "Process feedback F-1 from customer C-1, subject 'Login': I cannot log in.",
    );
    expect(log.processed).toHaveLength(1);
    expect(toolCalls).toHaveLength(1);
    expect(text).toContain(
      "Feedback F-1 from customer C-1: negative, category: general. The customer was answered by email.",
    );
    expect(text).toContain("offline demo model");
  });

  test("says that an email waits for approval and has not been sent", () => {
    const result = { success: true, feedback_id: "F-1", sentiment: "negative", status: "waiting_for_approval" };
    const say = (fields: object): string =>
      summarizeResults([new ToolMessage({ content: "", tool_call_id: "1", artifact: { ...result, ...fields } })]);
    expect(say({ action: "auto_respond" })).toMatch(
      /negative\. The email to the customer waits .* has not been sent\./,
    );
    expect(say({ action: "escalate", ticket_id: "T-1" })).toMatch(/ticket T-1\. The email to the customer waits/);
  });

  test("says that doubtful praise was answered without thanks", () => {
    const result = { success: true, feedback_id: "F-1", sentiment: "positive", doubtful: true };
    const say = (fields: object): string =>
      summarizeResults([new ToolMessage({ content: "", tool_call_id: "1", artifact: { ...result, ...fields } })]);
    const answered = { action: "auto_respond", response_id: "<m@x>" };
    expect(say(answered)).toContain("positive (doubtful). The customer was answered by email, without thanks for kind");
    expect(say({ ...answered, doubtful: undefined })).toContain("positive. The customer was answered by email.");
    expect(say({ action: "escalate", ticket_id: "T-1" })).toMatch(/positive \(doubtful\)\. It went to a person/);
    expect(say({ ...answered, sentiment: "neutral", doubtful: undefined, unreadable: true })).toContain(
      "neutral (the text could not be read). The customer was answered by email.",
    );
  });

  test("calls both text tools in one turn", async () => {
    const { text, log } = await ask("Analyse this text: It is slow.");
    expect(log.analysed).toEqual(["It is slow.", "It is slow."]);
    expect(text).toContain("Sentiment: negative (score 0.83).\nCategories: bug, billing.");
  });

  test("calls one tool for each line", async () => {
    const { log } = await ask(
      "Please process these:\n- Customer C-1 wrote: 'Good'\n- Customer C-2 wrote: 'Bad'. Do not reply.",
    );
    expect(log.processed.map((args) => [args["customer_id"], args["send_response"]])).toEqual([
      ["C-1", null],
      ["C-2", false],
    ]);
  });

  test("does nothing if a line of a quotation may be the user's own request", async () => {
    const { text, log } = await ask("Customer C-1 wrote: 'Good'\nCustomer C-2 wrote: 'Bad'");
    expect(log.processed).toEqual([]);
    expect(text).toContain("I don't understand where your words end");
  });

  test("streams its answer word by word", async () => {
    const tokens: string[] = [];
    const { text } = await ask("What can you do?", (token) => tokens.push(token));
    expect(tokens.join("")).toBe(text);
    expect(tokens.length).toBeGreaterThan(20);
    expect(text).toContain("Process feedback F-1001");
  });

  test("explains itself and calls nothing for anything else", async () => {
    const { text, toolCalls } = await ask("Mail all customers that we are closing");
    expect(toolCalls).toEqual([]);
    expect(text).toContain("I understand a few plain requests");
  });

  test("gives the same answer with and without streaming, and the same each time", async () => {
    const model = new OfflineChatModel().bindTools(feedbackTools());
    const request = "Analyse this text: fine";
    const whole = await model.invoke(request);
    let streamed: AIMessageChunk | undefined;
    for await (const chunk of await model.stream(request)) streamed = streamed?.concat(chunk) ?? chunk;
    const calls = whole.tool_calls?.map(({ id, name, args }) => ({ id, name, args }));
    expect(streamed?.tool_calls?.map(({ id, name, args }) => ({ id, name, args }))).toEqual(calls);
    expect(calls).toHaveLength(2);
    expect(await model.invoke(request)).toMatchObject({ tool_calls: whole.tool_calls });
  });

  test("calls only tools that it was given", async () => {
    const message = await new OfflineChatModel().invoke("Categorize: fine");
    expect(message.tool_calls).toEqual([]);
    expect(message.text).toContain("categorize_feedback_text");
  });

  test("never calls a tool after results, whatever they say", async () => {
    const model = new OfflineChatModel().bindTools(feedbackTools());
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string(), fc.json(), fc.constant("Categorize: this")),
        fc.jsonValue(),
        async (content, artifact) => {
          const result = new ToolMessage({ content, artifact, tool_call_id: "1", name: "n" });
          const message = await model.invoke([new HumanMessage("Categorize: fine"), result]);
          expect(message.tool_calls).toEqual([]);
          expect(message.text).toContain("offline demo model");
        },
      ),
    );
  });
});

describe("the summary of results", () => {
  const summary = (artifact: unknown, content = "", status: "success" | "error" = "success"): string =>
    summarizeResults([
      new ToolMessage({ content, artifact, status, tool_call_id: "1", name: "process_customer_feedback" }),
    ]);
  const done = { feedback_id: "F-1", customer_id: "C-1", success: true, sentiment: "negative", categories: ["bug"] };

  test.each([
    [
      { ...done, action: "escalate", ticket_id: "T-1", response_id: "m" },
      "F-1 from customer C-1: negative, category: bug. It went to a person, ticket T-1; the customer was told by email.",
    ],
    [{ ...done, action: "escalate", ticket_id: "T-1" }, "It went to a person, ticket T-1."],
    [{ ...done, action: "auto_respond" }, "No email was sent."],
    [{ ...done, action: "no_action" }, "It was stored; no answer was sent."],
    [
      { ...done, action: "auto_respond", response_id: "m", duplicate: true },
      "It had been processed before; nothing was done twice.",
    ],
    [
      { feedback_id: "F-1", success: false, error: "Customer with ID C-1 not found", retriable: false },
      "Feedback F-1 could not be processed: Customer with ID C-1 not found\n",
    ],
    [
      { feedback_id: "F-1", success: false, error: "The mail server is down.", retriable: true },
      "The mail server is down. (It may succeed later.)",
    ],
  ])("for %j", (artifact, expected) => {
    expect(summary(artifact)).toContain(expected);
  });

  test("lists a customer's feedback", () => {
    const history = (rows: object[]): string =>
      summarizeResults([
        new ToolMessage({ content: "", tool_call_id: "1", name: "get_customer_history", artifact: { rows } }),
      ]);
    const row = {
      feedback_id: "F-1",
      received_at: "2026-11-29T10:00:00Z",
      sentiment: "negative",
      categories: ["billing"],
    };
    expect(history([{ ...row, ticket_id: "T-1", answered_at: "2026-11-29T10:00:01Z" }, row])).toMatch(
      /newest first:\n- F-1, 2026-11-29: negative, category: billing; ticket T-1, answered by email\.\n- F-1, .*; not answered\.\n/,
    );
    expect(history([])).toMatch(/^There is no feedback from this customer\./);
  });

  test("says what happened to a piece of feedback", () => {
    const said = (rows: object[]): string =>
      summarizeResults([
        new ToolMessage({ content: "", tool_call_id: "1", name: "look_up_feedback", artifact: { rows } }),
      ]);
    const row = {
      feedback_id: "F-1",
      customer_id: "C-1",
      received_at: "2026-11-29T10:00:00Z",
      sentiment: "negative",
      categories: ["billing"],
      mail: "pending",
    };
    expect(said([{ ...row, ticket_id: "T-1" }])).toMatch(
      /^Feedback F-1 from customer C-1, 2026-11-29: negative, category: billing; ticket T-1, .* not sent yet\.\n/,
    );
    expect(said([{ ...row, mail: "sent" }])).toContain("negative, category: billing; answered by email.");
    expect(said([{ ...row, mail: "rejected" }])).toContain("a person has rejected the email");
    expect(said([{ ...row, mail: "none" }])).toContain("no email to the customer.");
    expect(said([])).toMatch(/^There is no such feedback/);
  });

  test("reads JSON content if there is no artifact, and repeats text unchanged", () => {
    expect(summary(undefined, '{"sentiment":"positive","score":1}')).toContain("Sentiment: positive (score 1.00).");
    expect(summary(undefined, "All done.")).toContain("All done.");
    expect(summary(undefined, "Not allowed.", "error")).toContain(
      "process_customer_feedback did not succeed: Not allowed.",
    );
  });
});
