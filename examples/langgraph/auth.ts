// The tokens in HTTP_TOKENS (name:scope+scope:secret) control who may talk to the agent, and who
// may decide. Agent Chat UI asks for a token's secret as its "LangSmith API key" and sends it as
// x-api-key.
import { Auth, HTTPException } from "@langchain/langgraph-sdk/auth";
import { Tokens } from "abi-workflows/http";

// LangGraph's server accepts requests from pages of any website. Without tokens, any page could
// decide.
const tokens = Tokens.fromSetting(process.env["HTTP_TOKENS"] ?? "");

function mayTalk(permissions: readonly string[]): void {
  if (permissions.includes("feedback:write")) return;
  throw new HTTPException(403, { message: "This token lacks the scope feedback:write." });
}

export const auth = new Auth()
  .authenticate(async ({ headers }) => {
    const secret = headers.get("x-api-key") ?? headers.get("authorization")?.replace(/^Bearer /i, "") ?? "";
    const caller = await tokens.verify(secret);
    if (!caller) throw new HTTPException(401, { message: "Send the secret of a token in HTTP_TOKENS as x-api-key." });
    return { identity: caller.name, permissions: [...caller.scopes] };
  })
  .on("*", ({ permissions }) => mayTalk(permissions))
  .on("threads", ({ permissions, user, value }) => {
    mayTalk(permissions);
    // Users see and resume only their own conversations.
    const owner = user.identity;
    if ("metadata" in value) value.metadata = { ...value.metadata, owner };
    return { owner };
  });
