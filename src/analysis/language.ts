import { scoreLanguages } from "./language-detector.ts";
import { memoizeByWord, type Word } from "./memoize.ts";

/** Used if the language can't be determined, for example because the text is too short. */
export const UNDETERMINED = "und";

/** Characters. */
const SAMPLE = 600;
const MIN_WORDS = 4;
const FEW_WORDS = 8;
const LEAD_OVER_ENGLISH = 0.1;
/** Short texts of names and slang resemble many languages, so the lead must be clear. */
const LEAD_WITH_FEW_WORDS = 0.15;
const MIN_SCORE = 0.6;
const ENGLISH_SHARE = 0.12;

/**
 * Letters that English has only in borrowed words. If a text has one, its letters are a clue to its
 * language even if it is very short.
 */
const ACCENTS = /[^\p{ASCII}’]/u;

/** Words. Links and mentions match too, as a whole; `readWords` drops them. */
const WORDS = /(?:https?:\/\/|www\.|@)\S+|[\p{L}\p{M}'’]+/gu;

/** Frequent in English, and rare in other languages with Latin letters. */
const ENGLISH = new Set(
  "the and this that these those with you your they their are were very would could should from but it it's its which what when because there been i'm don't didn't doesn't isn't wasn't can't won't we our not has had how about after only than".split(
    " ",
  ),
);

/**
 * Frequent in other languages, or in what customers write in them, and rare in English. "die" and
 * "war" are homographs: without an English word beside them, they are German.
 */
const OTHERS = Object.entries({
  de: "das ist und der die ein eine einen nicht mit auf für sehr war waren ich wir sie beim zum zur auch aber leider kein keine noch nur wie oder wurde habe hat mich von vom sind schlecht schlechte schlechter schlechtes schlechten gute guter gutes funktioniert geht nichts alles immer wieder nie produkt qualität lieferung schnelle schneller teuer defekt kaputt enttäuscht zufrieden danke bitte paket tolle toller perfekt katastrophe gerne",
  fr: "le les une est et très pas je nous vous c'est j'ai n'est ce qui avec dans mais tout trop merci des la ne il elle sont était été mon mauvais mauvaise produit produits qualité livraison fonctionne déçu déçue jamais rien cassé colis rapide médiocre expérience bien",
  es: "el muy pero para por una es está que se mi lo la más nada todo gracias fue estoy como esta este servicio producto productos calidad funciona malo mala pésimo pésima excelente llegó nunca demasiado desastre buena atención defectuoso envío dinero gusta gustó encanta recomiendo",
  it: "il gli è molto sono non che della una lo più tutto grazie questo questa servizio prodotto prodotti qualità funziona pessimo pessima ottimo ottima buono troppo rotto spedizione terribile perfetto",
  pt: "muito não é uma para que meu minha está tudo obrigado foi são mais serviço produto produtos qualidade péssimo péssima ótimo ótima ruim entrega chegou quebrado horrível nunca funciona excelente",
  nl: "het een niet heel zeer ik maar ook zijn wordt geen naar bij deze goed slecht slechte werkt kwaliteit snelle levering nooit niets",
  sv: "och är inte det jag mycket som på för dålig dåligt fungerar aldrig",
  da: "og ikke er jeg det meget på dårlig dårligt virker aldrig",
  pl: "jest nie się bardzo dobrze że nie są był działa nigdy",
  tr: "çok bir bu için değil güzel iyi kötü",
}).map(([language, list]) => [language, new Set(list.split(" "))] as const);

/**
 * English opinion words that other languages have too, so they are no sign of English.
 */
const SHARED = new Set(
  "terrible horrible excellent excellence super fatal error ideal perfect original modern elegant problem defect simple impossible formidable fragile stable flexible capable brave fine pure patient content con pro plus die hell fast arm rat best attention satisfaction surprise danger virus spam stress bug crash cool chic fan fun top dire vile rot".split(
    " ",
  ),
);

/** Nearly every longer English text has at least one of these or of `PLAIN_ENGLISH`, see below. */
const SIGNS_OF_ENGLISH = new Set(
  "of to was have if he she out up off for went i've i'll that's let's today last first next back few most both between part before without".split(
    " ",
  ),
);

/** Words that are English enough to outweigh a word that looks foreign. */
const LITTLE_ENGLISH = new Set("a i is it of to in was on be have me so all at by as if he she out up off".split(" "));

function bestOf(scores: Iterable<readonly [language: string, score: number]>): [language: string, score: number] {
  let best: [string, number] = [UNDETERMINED, 0];
  for (const [language, score] of scores) if (score > best[1]) best = [language, score];
  return best;
}

/** Whether there are so few different words that a name among them counts for too much. */
const areFew = (words: readonly string[]): boolean => new Set(words).size < FEW_WORDS;

/**
 * The language of a text in which words that are frequent in another language outnumber the English
 * ones; undefined for other texts. With enough words, their letters decide which language it is;
 * with few, it is the one in which most of them are frequent. If only one word is frequent in
 * another language, it may be a name, so it doesn't count beside an English opinion word.
 */
function byFrequentWords(words: readonly string[], isEnglish: IsEnglish): string | undefined {
  const english = words.filter((word) => PLAIN_ENGLISH.has(word) || LITTLE_ENGLISH.has(word)).length;
  const counts = OTHERS.map(([language, known]) => [language, words.filter((word) => known.has(word)).length] as const);
  const [, most] = bestOf(counts);
  if (most <= english || (most === 1 && words.some(isEnglish))) return undefined;
  const scores = scoreLanguages(words);
  if (!areFew(words)) return bestOf([...scores].filter(([language]) => language !== "en"))[0];
  const leading = counts.filter(([, count]) => count === most).map(([language]) => language);
  return bestOf(leading.map((language) => [language, 1 + (scores.get(language) ?? 0)]))[0];
}

function byLetters(words: readonly string[]): string {
  const scores = scoreLanguages(words);
  const english = scores.get("en") ?? 0;
  const [language, best] = bestOf(scores);
  const wanted = areFew(words) ? LEAD_WITH_FEW_WORDS : LEAD_OVER_ENGLISH;
  if (language === "en" || (english > 0 && best - english < wanted)) return "en";
  return best >= MIN_SCORE ? language : UNDETERMINED;
}

/** Whether a word, in lower case, is an English opinion word. */
type IsEnglish = (word: string) => boolean;

/**
 * Whether most letters at the beginning of a text are not Latin. The text is then not English,
 * whatever its length.
 */
export function isInOtherScript(text: string): boolean {
  const letters = text.slice(0, SAMPLE).match(/\p{L}/gu) ?? [];
  return letters.filter((letter) => !/\p{Script=Latin}/u.test(letter)).length * 2 > letters.length;
}

/** Whether a text has so few words that they may not show its language. */
export const isShortText = (text: string): boolean => areFew(readWords(text));

function readWords(text: string): string[] {
  const found = text.slice(0, SAMPLE).toLowerCase().replaceAll(/[´′]/g, "’").match(WORDS) ?? [];
  return found.filter((word) => !/^(?:@|https?:|www\.)/u.test(word));
}

const FIRST_WORDS = 100;

/**
 * Hardly any other language has these words. A text is English beyond doubt if at least two of its
 * words, and at least 12 % of them, are among these.
 */
const PLAIN_ENGLISH = new Set([
  ...ENGLISH,
  ..."my he she his him who why where does did just very really some any more other get got much use used work works out up well even good great bad nice like would always never every here again new should make made thing things love hate".split(
    " ",
  ),
]);

/** Whether a word, in lower case, is one of the most frequent in English. */
export const isFrequentInEnglish = (word: string): boolean =>
  PLAIN_ENGLISH.has(word.replace("’", "'")) || LITTLE_ENGLISH.has(word) || SIGNS_OF_ENGLISH.has(word);

const isPlain = memoizeByWord((norm) => PLAIN_ENGLISH.has(norm));

/**
 * Whether tokens, with contractions expanded, are English beyond doubt, judged by the first hundred
 * words. Most English texts are, and need no closer look.
 */
export function isPlainEnglish(tokens: readonly { word: Word; kind: string }[]): boolean {
  let words = 0;
  let english = 0;
  for (const { word, kind } of tokens) {
    if (kind !== "word") continue;
    words += 1;
    if (isPlain(word)) english += 1;
    if (words === FIRST_WORDS) break;
  }
  return english >= 2 && english >= words * ENGLISH_SHARE;
}

/**
 * Detects the language of a text: an ISO 639-1 code, or `und` if it can't be determined. It leans
 * toward English: another language must be clearly ahead. But a text of eight or more different
 * words, none of them clearly English, only counts as English if its letters fit English best. It
 * reads the first 600 characters; links and mentions don't count.
 * @param isOpinion whether a word, in lower case, is an English opinion word; a single foreign word
 *   beside one may be a name, and doesn't count
 */
export function detectLanguage(text: string, isOpinion: IsEnglish = () => false): string {
  const isEnglish: IsEnglish = (word) => isOpinion(word) && !SHARED.has(word);
  const words = readWords(text);
  const english = words.filter((word) => ENGLISH.has(word.replace("’", "'"))).length;
  if (english >= 2 && english >= words.length * ENGLISH_SHARE) return "en";
  if (isInOtherScript(text)) return bestOf(scoreLanguages(words))[0];
  const other = byFrequentWords(words, isEnglish);
  if (other !== undefined) return other;
  if (areFew(words)) {
    const isShort = new Set(words).size < MIN_WORDS;
    if (words.some(isEnglish) || (isShort && !words.some((word) => ACCENTS.test(word)))) return UNDETERMINED;
  }
  const language = byLetters(words);
  const hasEnglish = words.some((word) => PLAIN_ENGLISH.has(word) || SIGNS_OF_ENGLISH.has(word) || isEnglish(word));
  if (language !== "en" || areFew(words) || hasEnglish) return language;
  return bestOf(scoreLanguages(words))[0] === "en" ? "en" : UNDETERMINED;
}
