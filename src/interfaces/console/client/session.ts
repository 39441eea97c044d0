import { signal } from "@preact/signals";
import { ApiError, call, isSignedOut, returns } from "./api.ts";

/** Who is signed in. */
export interface Session {
  name: string;
  scopes: readonly string[];
}

/** Undefined until it is known, and after signing out. */
export const session = signal<Session | undefined>(undefined);

export const may = (scope: string): boolean => session.value?.scopes.includes(scope) ?? false;

/** @throws ApiError, but not if nobody is signed in */
export async function readSession(): Promise<void> {
  try {
    session.value = await call<Session>("/session");
    isSignedOut.value = false;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
}

/** @throws ApiError */
export async function signIn(token: string): Promise<void> {
  session.value = await call<Session>("/session", { body: { token } });
  isSignedOut.value = false;
  // Load again what was refused without a session.
  returns.value += 1;
}

export async function signOut(): Promise<void> {
  await call("/session/end", { method: "POST" });
  session.value = undefined;
  isSignedOut.value = true;
}
