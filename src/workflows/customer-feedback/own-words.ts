let ownWords: ((text: string) => string) | undefined;

/**
 * The text without quotations and signature. The code that finds them is loaded with the first
 * text.
 */
export async function ownWordsOf(text: string): Promise<string> {
  ownWords ??= (await import("../../analysis/own-words/own-words.ts")).ownWords;
  return ownWords(text);
}
