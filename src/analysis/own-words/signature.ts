/**
 * Signatures: after `-- ` (RFC 3676 section 4.3), after a closing formula, and those that mail
 * programs add by themselves.
 */
import { COMPLAINT, FIRST_PERSON, isShortLink, trimmedEnd } from "./lines.ts";

const MAX_SIGNATURE_LINES = 12;
const MAX_SIGNATURE_LINE_LENGTH = 120;

/** Whole lines that say goodbye and nothing else. */
const CLOSING =
  /^(?:(?:with )?(?:my |our )?(?:very )?(?:kind(?:est)?|best|warm(?:est)?|many|all the best|friendly)(?: (?:kind|warm|personal))?(?: regards| wishes| greetings)|best regards|regards|all the best|sincerely(?: yours)?|yours (?:sincerely|faithfully|truly)|respectfully|cheers|mit (?:freundlichen|besten|vielen|lieben|herzlichen) grüßen|mit (?:freundlichem|bestem) gruß|mit freundlichen gruessen|(?:freundliche|beste|viele|liebe|herzliche|schöne) grüße|(?:freundlicher|bester|lieber) gruß|gruß|grüße|mfg|lg|vg|(?:bien )?cordialement|(?:bien )?à vous|salutations(?: distinguées)?|bien à toi|(?:un )?cordial saludo|(?:un )?saludo|saludos(?: cordiales)?|atentamente|cordiali saluti|distinti saluti|saluti|cordialmente|atenciosamente|(?:com os )?(?:melhores )?cumprimentos|abraços|(?:met )?vriendelijke groet(?:en)?|met vriendelijke groet(?:en)?|groet(?:en)?|(?:med )?vänliga? hälsning(?:ar)?|hälsningar|mvh|(?:med )?venlig hilsen|(?:med )?vennlig hilsen|hilsen|(?:z )?poważaniem|pozdrawiam|z wyrazami szacunku|pozdrowienia|ystävällisin terveisin|terveisin|parhain terveisin|s pozdravem|s úctou|saygılarımla|saygılar(?:ımızla)?|iyi çalışmalar|с уважением|с наилучшими пожеланиями)$/iu;

/**
 * Closing formulas that also say thanks. They only count if a name and contact details follow. They
 * stay, unless the name is on the same line.
 */
const THANKS =
  /^(?:(?:many |kind |best )?thanks(?: again| in advance| a lot| so much)?|thank you(?: very much| in advance| again)?|thx|best|(?:vielen |besten )?dank(?: im voraus)?|danke(?: schön)?|merci(?: d['’]avance| beaucoup)?|(?:muchas )?gracias|grazie(?: mille)?|obrigad[oa]|(?:hartelijk )?dank|bedankt|tack|(?:mange )?takk?|dziękuję|kiitos|děkuji|teşekkürler)$/iu;

/** "Sent from my iPhone", in the languages of mail programs. */
const SENT =
  /(?<!\p{L})(?:sent|gesendet|geschickt|envoyé|enviado|inviato|verzonden|verstuurd|skickat|sendt|wysłan[eoay]|lähetetty|odesláno|gönderildi|отправлено|get outlook for|outlook für|télécharger outlook|obtener outlook|ottieni outlook|hent outlook|hämta outlook|download outlook|holen sie sich)(?!\p{L})/iu;
/** Words that occur in such a line beside the names of programs and devices. */
const SENT_WORDS = new Set(
  "sent from via with using my the a an on for by this was message email mail e-mail mobile device phone smartphone cell cellphone tablet app new secure free please excuse pardon forgive brevity any and or short terse typos errors mistakes spelling autocorrect gesendet geschickt von vom mit meinem meiner einem diese nachricht wurde e-mail mobiltelefon handy unterwegs für holen sie sich aus der envoyé de du depuis mon ma mes un une appareil mobile téléphone télécharger pour enviado desde mi el do da meu minha pelo dispositivo móvil celular obtener para inviato dal dalla mio mia con verzonden verstuurd vanaf mijn met via skickat från min mitt sendt fra med wysłane wysłano wysłana z ze mojego mojej telefonu lähetetty minun odesláno mého gönderildi cihazımdan telefonumdan get outlook отправлено с из моего мобильной почты à partir ottieni per voor hent til hämta för download".split(
    " ",
  ),
);
const DEVICE =
  /iphon|ipad|ipod|apple watch|macbook|android|galaxy|samsung|blackberry|huawei|xiaomi|redmi|oneplus|pixel|motorola|nokia|xperia|fairphone|windows|outlook|yahoo|gmail|gmx|web\.de|proton|tutanota|hotmail|spark|airmail|thunderbird|t-online|aol|mail\.ru|smartphone|handy|mobil|phone|tablet|t[eé]l[eé]phone|mail/iu;
const SENT_ELSEWHERE =
  /^(?:发自|發自|從|从|來自).{0,30}(?:iphone|ipad|android|手机|手機|邮箱|郵箱|mail|outlook|华为|小米).{0,20}$|^.{0,30}から送信$|^.{0,30}에서 (?:보냄|전송)\S{0,5}$/iu;

/** A phone number, an address, a link, a company: what signatures contain, one to a line. */
const CONTACT =
  /@|https?:|www\.|\+\d|\d[\d\s()/.-]{6,}\d|(?<!\p{L})(?:tel|phone|fon|fax|mobile?|cell|e-?mail|web|téléphone|teléfono|telefono|telefone|telefon|puh|gsm|gmbh|ltd|inc|llc|plc|ag|kg|sas|sarl|s\.?r\.?l|s\.?p\.?a|b\.?v|oy|department|abteilung|manager|director|officer|engineer|head of|consultant|assistant|founder|ceo|cto|cfo|street|straße|str\.|road|avenue|rue|calle|via)(?!\p{L})|\s[|•·]\s/iu;

/** One to five words with capitals, with particles of names between. */
const NAME =
  /^(?:\p{Lu}[\p{L}'’.-]*|\p{Lu}\.)(?:[ ,]+(?:\p{Lu}[\p{L}'’.-]*|van|von|de|der|den|da|di|del|la|le|el|bin|al|und|and|&|y|e|et)){0,4}[,.]?$/u;

/** Words that people use instead of a name when they still have something to say. */
const NO_NAME = /customer|client|user|buyer|kund(?:e|in)|cliente?/iu;

/** The lines above the signature; undefined if there is none at the end. */
export function withoutSignature(lines: readonly string[]): readonly string[] | undefined {
  return withoutSentFrom(lines) ?? withoutDashed(lines) ?? withoutClosing(lines);
}

function withoutSentFrom(lines: readonly string[]): readonly string[] | undefined {
  let last = lines.length - 1;
  if (last > 0 && isShortLink(lines[last]!)) last -= 1;
  const line = lines[last]?.trim() ?? "";
  return isSentFrom(line) ? trimmedEnd(lines.slice(0, last)) : undefined;
}

function isSentFrom(line: string): boolean {
  if (line.length > 160) return false;
  if (SENT_ELSEWHERE.test(line)) return true;
  const words = line
    .replaceAll(/<?https?:\/\/\S+|[<>()[\].,:;]/gu, " ")
    .split(" ")
    .filter((word) => word !== "");
  const isKnown = (word: string): boolean => SENT_WORDS.has(word.toLowerCase()) || /[\p{Lu}\d]/u.test(word);
  return (
    SENT_LINE.test(line) && (DEVICE.test(line) || / my /u.test(line)) && words.every(isKnown) && words.length <= 14
  );
}

const SENT_LINE = new RegExp(`^(?:[^\\p{L}]{0,3})(?:${SENT.source}|.{0,90}${SENT.source}[\\s.]*$)`, "iu");

function withoutDashed(lines: readonly string[]): readonly string[] | undefined {
  const first = Math.max(0, lines.length - MAX_SIGNATURE_LINES - 1);
  for (let index = lines.length - 1; index >= first; index--) {
    const line = lines[index]!;
    if (!/^\s?(?:--|—|–)\s*$/u.test(line)) continue;
    const below = filled(lines.slice(index + 1));
    if (below.some((one) => isSpeech(one))) return undefined;
    const isDelimiter = line === "-- " || below.length === 0 || NAME.test(below[0]!) || isContact(below[0]!);
    return isDelimiter ? lines.slice(0, index) : undefined;
  }
  return undefined;
}

function withoutClosing(lines: readonly string[]): readonly string[] | undefined {
  const first = Math.max(0, lines.length - MAX_SIGNATURE_LINES - 1);
  for (let index = lines.length - 1; index >= first; index--) {
    const line = lines[index]!.trim();
    if (line.length > MAX_SIGNATURE_LINE_LENGTH) continue;
    const [, formula = "", name = ""] = /^([^,!]{2,40}?)\s*[,!.]?(?:\s*,\s*(\S.*))?$/u.exec(line) ?? [];
    const isClosing = CLOSING.test(formula);
    if (!isClosing && !THANKS.test(formula)) continue;
    const below = filled([name, ...lines.slice(index + 1)]);
    if (!isSignature(below) || (!isClosing && !below.slice(1).some(isContact))) return undefined;
    return lines.slice(0, isClosing || name !== "" ? index : index + 1);
  }
  return undefined;
}

/** Nothing; or a name, and below it nothing but names, titles and ways to reach a person. */
function isSignature(below: readonly string[]): boolean {
  if (below.length === 0) return true;
  if (!NAME.test(below[0]!) || NO_NAME.test(below[0]!)) return false;
  return below.slice(1).every((line) => !isSpeech(line) && (NAME.test(line) || isContact(line)));
}

const isContact = (line: string): boolean => line.length <= MAX_SIGNATURE_LINE_LENGTH && CONTACT.test(line);

/** Whether a person says something in this line, rather than who they are. */
const isSpeech = (line: string): boolean =>
  line.length > MAX_SIGNATURE_LINE_LENGTH * 2 || /[!?]$/u.test(line) || FIRST_PERSON.test(line) || isProse(line);

/**
 * Lower-case words that occur in signatures: labels of numbers and links, and parts of names,
 * titles and addresses.
 */
const SIGNATURE_WORDS = new Set(
  "tel phone fon fax mobile mob cell email e-mail mail web website telefon mobil téléphone teléfono telefono telefone puh gsm van von de der den da di do dos das del des du la le les el bin al und and y e et of the for in at to im am für department abteilung manager director officer engineer head consultant assistant founder developer customer sales marketing street straße str road avenue rue calle via".split(
    " ",
  ),
);

/**
 * Whether a line has more than one lower-case word that signatures don't have, or one that belongs
 * to a complaint.
 */
function isProse(line: string): boolean {
  const words =
    line.replaceAll(/\S*(?:@|https?:|www\.)\S*/giu, " ").match(/(?<![\p{L}\d.'’-])\p{Ll}[\p{L}'’-]+/gu) ?? [];
  const others = words.filter((word) => !SIGNATURE_WORDS.has(word));
  return others.length > 1 || others.some((word) => COMPLAINT.test(word));
}

const filled = (lines: readonly string[]): string[] => lines.map((line) => line.trim()).filter((line) => line !== "");
