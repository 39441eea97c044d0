/**
 * Quoted mail: lines with `>`, the attribution that mail programs put above a quotation ("On 5 May
 * 2026, Ann wrote:"), and the headers or the separator above an email that is quoted without `>`.
 */
import { isVisible } from "../../visible-text.ts";
import { isSeparator, withoutSeparators } from "./lines.ts";

/** A line of a quotation, but not an angry face (`>:(`) or a comparison (`>= 3`). */
const QUOTED = /^\s{0,3}>(?![:;]['-]?[()[\]/\\|@oO]|[._]<|=)/;
/** `> 50% of my orders`: by itself it is a comparison. */
const COMPARISON = /^\s*>\s*[\p{Sc}~]?\d/u;

/** Characters and lines. No mail program writes a longer attribution. */
const MAX_ATTRIBUTION_LENGTH = 400;
const MAX_ATTRIBUTION_LINES = 3;

// The word for "wrote", as common mail programs write it in their languages.
const WROTE =
  /(?<!\p{L})(?:wrote|writes|said|says|quoting|citando|schrieb|schreibt|geschrieben|zitat|a écrit|écrivait|écrit|escribió|escribe|ha scritto|scritto|scrive|escreveu|escreve|schreef|schrijft|geschreven|skrev|skrifar|skriver|pisze|napisał(?:\(a\)|a|o)?|kirjoitti|napsal(?:\(a\)|a)?|píše|napísal(?:\(a\)|a)?|şunu yazdı|yazdı|a scris|írta|έγραψε|написал(?:\(а\)|а)?|пишет|пише|написав|כתב|כתבה|كتب|je napisao|je napisala|je napisal)(?!\p{L})|写道|寫道|作성|작성|書きました|のメッセージ|のメール/iu;
const ADDRESS = /[<([]?[^\s<>()[\]@]{1,64}@[^\s<>()[\]@]{1,255}[>)\]]?/u;
const TIME = /(?<!\d)\d{1,2}[:.h]\d{2}(?!\d)/u;
const DATE = /(?<!\d)(?:(?:19|20)\d{2}|\d{1,2}[./-]\d{1,2}[./-](?:\d{2}|\d{4}))(?!\d)/u;
/**
 * "You wrote", "my friend said": how a person introduces what somebody wrote. Mail programs put the
 * sender's name there.
 */
const SPOKEN_OF =
  /(?<!\p{L})(?:you|your|yours|I|my|we|our|they|their|he|she|his|her|the|ihr|ihre|euer|ich|mein|meine|er|wir|unser|der|die|votre|vos|je|mon|nous|notre|usted|su|yo|nosotros|vostro|suo|io|uw|je|jullie|ik|mijn)\s+(?:\p{Ll}+\s+){0,3}?(?:wrote|writes|said|says|schrieb|schreibt|escribió|ha scritto|schreef|a écrit)(?!\p{L})|schrieb (?:mir|uns|ihr|er|sie|ich|ein|eine|der|die)(?!\p{L})/iu;

const SEPARATOR_TITLES =
  "original message|original appointment|forwarded message|reply message|ursprüngliche nachricht|original-?nachricht|originalnachricht|weitergeleitete nachricht|antwort nachricht|message d['’]origine|message original|message transféré|message initial|mensaje original|mensaje reenviado|messaggio originale|messaggio inoltrato|mensagem original|mensagem encaminhada|oorspronkelijk bericht|origineel bericht|doorgestuurd bericht|ursprungligt meddelande|originalmeddelande|vidarebefordrat meddelande|oprindelig meddelelse|original meddelelse|videresendt meddelelse|opprinnelig melding|videresendt melding|wiadomość oryginalna|oryginalna wiadomość|treść przekazanej wiadomości|alkuperäinen viesti|välitetty viesti|původní zpráva|původní e-mail|přeposlaná zpráva|orijinal mesaj|özgün ileti|iletilen mesaj|исходное сообщение|пересылаемое сообщение|пересылаемое письмо|eredeti üzenet|mesaj original|αρχικό μήνυμα|原始邮件|原始郵件|邮件原件|转发邮件|元のメッセージ|転送メッセージ|원본 메시지|원본 메일";
const SEPARATOR = new RegExp(
  `^[\\s>]*[-_*=—–]{2,}\\s*(?:${SEPARATOR_TITLES})[^\\p{L}]{0,40}[-_*=—–]{2,}\\s*$|^[\\s>]*(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:réexpédié|transféré)|inicio del mensaje reenviado|inizio messaggio inoltrato|início da mensagem reencaminhada|begin doorgestuurd bericht|vidarebefordrat brev|start på videresendt besked)\\s*[:：]\\s*$`,
  "iu",
);
/** Zoho puts the attribution between dashes. */
const DASHED_ATTRIBUTION = /^\s*-{2,}\s*\p{L}.{10,}\d/u;
/**
 * "Reply above this line", as helpdesks put it above their own emails. Only after dashes or the
 * like, because customers may ask about it.
 */
const REPLY_ABOVE =
  /^[\s>]*[#=\-_*—–]{2,}.{0,40}(?:(?:reply|answer|respond|type your reply) (?:\p{L}+ )?above|oberhalb dieser (?:zeile|linie)|über dieser (?:zeile|linie)|au-dessus de cette ligne|por encima de esta línea|sopra questa (?:riga|linea)|acima desta linha|boven deze (?:regel|lijn)|ovanför denna rad|over denne linje|powyżej tej linii).{0,60}$/iu;

const HEADERS = new Map(
  Object.entries({
    from: "from|von|de|da|van|från|fra|od|lähettäjä|kimden|gönderen|expéditeur|remitente|mittente|afzender|feladó|από|от|от кого|发件人|寄件者|差出人|보낸 사람|odesílatel",
    date: "sent|date|gesendet|datum|envoyé|enviado|enviado el|enviada em|enviado em|fecha|inviato|data|verzonden|skickat|sendt|dato|wysłano|lähetetty|päivämäärä|päiväys|odesláno|gönderildi|gönderme tarihi|tarih|elküldve|отправлено|дата|发送时间|日期|送信日時|日時|보낸 날짜|ημερομηνία|gesendet am|envoyé le|date d'envoi|sent on|sent at",
    to: "to|an|à|a|para|per|aan|till|til|do|komu|vastaanottaja|kime|alıcı|destinataire|destinatario|destinatário|címzett|προς|кому|收件人|宛先|받는 사람",
    cc: "cc|bcc|kopie|copie|copia|kopia|kopi|dw|kopio|bilgi|másolat|копия|抄送|참조",
    subject:
      "subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|aihe|předmět|konu|tárgy|θέμα|тема|主题|主旨|件名|제목|sujet",
  }).flatMap(([kind, labels]) => labels.split("|").map((label) => [label, kind] as const)),
);
const HEADER = /^[\s>*_|]{0,6}(\p{L}[\p{L}' ]{0,17})[*_\s]{0,3}[:：]/u;
const MAX_HEADER_LINES = 14;

/** Words by which customers say that their answers are inside the quoted email. */
const ANSWERS_INSIDE =
  /(?<!\p{L})(?:below|underneath|in-?line|between the lines|in (?:the )?(?:red|blue|green|bold|caps|capitals|text)|unten|im text|in rot|rot markiert|ci-dessous|plus bas|en rouge|en bleu|abajo|en rojo|qui sotto|di seguito|in rosso|hieronder|in het rood|nedan|nedenfor|poniżej|abaixo|em vermelho|alla|níže|aşağıda\p{L}*)(?!\p{L})/iu;
/** Nothing but a greeting or thanks. */
const GREETING =
  /^[^\p{L}]*(?:(?:hello|hi|hey|dear|good (?:morning|day|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|liebes?r?|sehr geehrter?|moin|bonjour|bonsoir|cher|chère|hola|buen[oa]s (?:días|tardes)|estimad[oa]s?|buongiorno|ciao|salve|gentile|olá|bom dia|beste|geachte|hej|hei|dzień dobry)(?!\p{L})[^.!?:;\n]{0,40}|(?:many |kind )?thanks(?: a lot| again| so much| for (?:your|the) (?:\p{L}+ )?(?:mail|e-?mail|message|reply|answer))?|thank you(?: so much| very much| for (?:your|the) (?:\p{L}+ )?(?:mail|e-?mail|message|reply|answer))?|(?:vielen |besten )?dank|danke(?: schön)?|merci(?: beaucoup)?|(?:muchas )?gracias|grazie(?: mille)?|obrigad[oa]|bedankt|dank u|dank je|tack|tak|takk|dziękuję|kiitos|děkuji)[^\p{L}]*$/iu;

/**
 * The lines without quotations. Answers between and below quoted lines stay. All lines stay if the
 * customer says that the answers are inside the quotation.
 */
export function withoutQuotations(lines: readonly string[]): readonly string[] {
  const begin = lines.findIndex((line, index) => QUOTED.test(line) || beginsQuotedMail(lines, index));
  if (lines.slice(0, Math.max(0, begin)).some((line) => ANSWERS_INSIDE.test(line))) return lines;
  const kept = withoutQuotedLines(lines);
  const end = kept.findIndex((_, index) => beginsQuotedMail(kept, index));
  const above = withoutSeparators(kept.slice(0, Math.max(0, end)));
  // If nothing is above the quotation, it is all that there is to judge. Below a mere greeting,
  // there may be an answer.
  return above.some((line) => isVisible(line) && !GREETING.test(line)) ? above : kept;
}

/**
 * Lines with `>` count as quoted if an attribution or a separator is above them. (Apple Mail puts
 * `>` before the attribution as well.) Otherwise they may just as well be a list or a path to
 * click.
 */
function withoutQuotedLines(lines: readonly string[]): readonly string[] {
  const quoted = new Set<number>();
  let isAttributed = false;
  for (let start = 0; start < lines.length; start++) {
    isAttributed ||= isMark(lines[start]!);
    if (!QUOTED.test(lines[start]!)) continue;
    let end = start + 1;
    while (end < lines.length && QUOTED.test(lines[end]!)) end += 1;
    const above = lineAbove(lines, start, quoted);
    const attribution = above === undefined ? 0 : attributionLength(lines, above);
    isAttributed ||=
      attribution > 0 || beginsWithAttribution(lines.slice(start, Math.min(end, start + MAX_ATTRIBUTION_LINES)));
    if (
      attribution > 0 ||
      (isAttributed && !isOwn(lines.slice(start, end), above === undefined ? "" : lines[above]!))
    ) {
      for (let index = start; index < end; index++) quoted.add(index);
      for (let index = 0; index < attribution; index++) quoted.add(above! - index);
    }
    start = end;
  }
  return quoted.size === 0 ? lines : lines.filter((_, index) => !quoted.has(index));
}

/** A line that only programs write above a quoted mail. */
const isMark = (line: string): boolean =>
  line.length <= MAX_ATTRIBUTION_LENGTH && (SEPARATOR.test(line) || REPLY_ABOVE.test(line));

/**
 * Whether lines look quoted but are the customer's own: a comparison, a path to click, or a list
 * below a heading.
 */
function isOwn(run: readonly string[], above: string): boolean {
  if (run.length === 1 && (COMPARISON.test(run[0]!) || / > /.test(run[0]!))) return true;
  return /^[^\d@<>]*[:：]\s*$/u.test(above);
}

/**
 * The nearest line above this one that isn't empty, at most three up; undefined if it is quoted.
 */
function lineAbove(lines: readonly string[], index: number, quoted: ReadonlySet<number>): number | undefined {
  for (let above = index - 1; above >= Math.max(0, index - 3); above--) {
    if (quoted.has(above)) return undefined;
    if (lines[above]!.trim() !== "") return above;
  }
  return undefined;
}

/**
 * How many lines up to and including `last` are the attribution of a quotation; 0 if none.
 */
function attributionLength(lines: readonly string[], last: number): number {
  if (!/[:：]\s*$/u.test(lines[last]!.slice(-10))) return 0;
  let joined = "";
  let length = 0;
  for (let count = 1; count <= MAX_ATTRIBUTION_LINES && count <= last + 1; count++) {
    const line = lines[last - count + 1]!.trim();
    if (line === "" || joined.length + line.length > MAX_ATTRIBUTION_LENGTH) break;
    joined = `${line} ${joined}`.trim();
    if (isClearAttribution(joined)) return count;
    if (length === 0 && (WROTE.test(joined) || (ADDRESS.test(joined) && TIME.test(joined)))) length = count;
  }
  return length;
}

/** Whether quoted lines begin with an attribution. */
function beginsWithAttribution(quoted: readonly string[]): boolean {
  const lines = quoted.map((line) => line.replace(/^[\s>]*/u, "").slice(0, MAX_ATTRIBUTION_LENGTH));
  return lines.some((_, last) =>
    isClearAttribution(
      lines
        .slice(0, last + 1)
        .join(" ")
        .trim(),
    ),
  );
}

/** Whether everything from this line on is a quoted mail. */
function beginsQuotedMail(lines: readonly string[], index: number): boolean {
  const line = lines[index]!;
  if (line.length > MAX_ATTRIBUTION_LENGTH || line.trim() === "") return false;
  if (isMark(line)) return true;
  if (line.trimEnd().endsWith("--") && DASHED_ATTRIBUTION.test(line) && WROTE.test(line)) return true;
  return hasHeaders(lines, index) || beginsAttribution(lines, index);
}

/**
 * A date as written by Yahoo and Outlook, which quote without `>`. Below a date in another format,
 * lines without `>` may be the customer's own.
 */
const UNMARKED_DATE = /\d:\d{2}:\d{2}|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d{2,4}/u;

/**
 * Whether an attribution of lines without `>` begins here. It needs date and time, and an address
 * or a name as the sender.
 */
function beginsAttribution(lines: readonly string[], first: number): boolean {
  let joined = "";
  for (let last = first; last < Math.min(lines.length, first + MAX_ATTRIBUTION_LINES); last++) {
    const line = lines[last]!.trim();
    joined = `${joined} ${line}`;
    if (line === "" || joined.length > MAX_ATTRIBUTION_LENGTH) return false;
    if (/[:：]$/u.test(line)) return UNMARKED_DATE.test(joined) && isClearAttribution(joined.trim());
  }
  return false;
}

function isClearAttribution(line: string): boolean {
  if (!DATE.test(line) || !TIME.test(line)) return false;
  if (ADDRESS.test(line)) return WROTE.test(line) || /[>)\]]\s*[:：]$/u.test(line);
  return WROTE.test(line) && !SPOKEN_OF.test(line) && beginsWithDate(line);
}

/** `Am 05.05.2026`, `Le lun. 5 mai`, `El mar, 5 may`: a few words, then a number. */
const beginsWithDate = (line: string): boolean => /^(?:[^\s\d]+\s){0,4}[^\s\d]{0,3}\d/u.test(line);

/**
 * Whether the headers of an email begin here: sender, date, recipient, and a subject or an address,
 * each on a line of its own. They are set off above and below. Headers that a person pastes into a
 * sentence are not, and a person who types them leaves out the recipient.
 */
function hasHeaders(lines: readonly string[], first: number): boolean {
  if (headerKind(lines[first]!) === undefined || !isSetOff(lines, first)) return false;
  const found = new Map<string, string>();
  let isClosed = false;
  for (let index = first; index < Math.min(lines.length, first + MAX_HEADER_LINES); index++) {
    const line = lines[index]!;
    const kind = headerKind(line);
    if (kind !== undefined) found.set(kind, line);
    else if (line.trim() !== "" && !/^\s/.test(line)) break;
    isClosed = line.trim() === "";
  }
  const all = [...found.values()].join(" ");
  const isDated = /\d/.test(found.get("date") ?? "");
  const hasParties = found.has("from") && found.has("to");
  return isClosed && hasParties && isDated && (found.has("subject") || all.includes("@"));
}

/**
 * Whether an empty line or a separator is above this line, but no sentence that introduces it:
 * "Read what your support wrote."
 */
function isSetOff(lines: readonly string[], index: number): boolean {
  const line = lines[index - 1] ?? "";
  if (line.trim() !== "" && !isSeparator(line)) return false;
  const above = withoutSeparators(lines.slice(Math.max(0, index - 5), index)).at(-1) ?? "";
  const sentence = above.slice(-MAX_ATTRIBUTION_LENGTH);
  return !/[:：]\s*$/u.test(sentence) && !SPOKEN_OF.test(sentence);
}

function headerKind(line: string): string | undefined {
  const label = HEADER.exec(line.slice(0, 40))?.[1];
  return label === undefined ? undefined : HEADERS.get(label.trim().toLowerCase());
}
