/**
 * What mail programs, companies and list servers put below an email. It is recognised only at the
 * end, and only by several marks together.
 */
import { withoutSignature } from "./signature.ts";
import { COMPLAINT, FIRST_PERSON, isSeparator, isShortLink, trimmedEnd, withoutSeparators } from "./lines.ts";

/**
 * No email has more or longer footers. Anything longer is not an email, and must not take long to
 * read.
 */
const MAX_FOOTERS = 12;
const MAX_FOOTER_LINES = 40;
const MAX_LINE_LENGTH = 5000;

const words = (alternatives: string): RegExp => new RegExp(`(?<!\\p{L})(?:${alternatives})`, "iu");

/** A kind of footer. It has marks, of which several must come together. */
interface FooterKind {
  marks: readonly RegExp[];
  isEnough(has: (mark: number) => boolean, count: number): boolean;
  /** Words that no such footer has. */
  never?: RegExp;
}

/** "this e-mail", in the languages of common mail programs. */
const THIS_MAIL =
  "(?:this|the|these|diese[rsnm]?|dies|ce|cet|cette|le présent|este|esta|el presente|questo|questa|il presente|la presente|o presente|dit|deze|detta|det här|denne|dette|tę|ta|tej|niniejsz\\p{L}+|tämä|tämän|tento|tato|toto|této|bu) (?:\\p{L}+ ){0,2}?(?:e-?mail|mail|message|communication|transmission|nachricht|mitteilung|courriel|courrier|mensaje|correo|messaggio|comunicazione|mensagem|bericht|meddelande|e-?post\\p{L}*|meddelelse|melding|wiadomoś\\p{L}+|korespondencj\\p{L}+|viesti\\p{L}*|sähköposti\\p{L}*|zpráv\\p{L}+|e-?postası|ileti|mesaj)";

const CONFIDENTIALITY: FooterKind = {
  marks: [
    words(
      `${THIS_MAIL}|information (?:contained )?(?:in|transmitted)|informazioni contenute|contents of this|der inhalt dieser|sähköposti|bu e-?posta`,
    ),
    words(
      "confidential|privileged|vertraulich|rechtlich geschützt|confidentiel|confidencia|riservat|confidenzial|vertrouwelijk|konfidentiell|sekretess|fortrolig|konfidensiel|taushets|poufn|luottamukselli|důvěrn|gizli",
    ),
    words(
      "intended|addressee|(?:solely|only|exclusively) for|if you (?:are not|have received|received|receive)|ausschließlich für|nur für den|bestimmt|sollten sie|wenn sie|falls sie|empfänger|adressat|destiné|destinataire|si vous|destinatari|destinad|dirigid|si usted|si ha recibido|si no es|se avete|se ha ricevuto|se non (?:è|siete)|qualora|destinat|destinatári|se (?:você|recebeu|não)|caso (?:você|não|tenha)|bestemd|geadresseerde|indien u|als u|avsedd|mottagare|om du|beregnet|modtager|tiltenkt|mottaker|hvis du|przeznaczon|adresat|jeśli|jeżeli|tarkoitettu|vastaanottaja|jos (?:et|olet)|určen|příjemc|adresát|pokud|alıcı|eğer",
    ),
    words(
      "in error|by mistake|irrtüm|versehent|par erreur|por error|per errore|por engano|por erro|abusievelijk|per abuis|per vergissing|ten onrechte|av misstag|felaktigt|ved en fejl|ved (?:en )?feil|fejlagtigt|omyłkow|przez pomyłkę|vahingossa|erehdyksessä|omylem|yanlışlıkla|sehven",
    ),
    words(
      "delet|destroy|notify|inform the sender|lösch|vernicht|détrui|supprim|avertir|elimin|borr|destru|cancella|distrugg|avvis|notific|apag|verwijder|vernietig|radera|meddela|slet|usun|usuń|zniszcz|poista|tuhoa|ilmoita|smaž|vymaž|upozorn|silin|silm|imha|bildir|informieren|informer",
    ),
    words(
      "unauthori[sz]ed|prohibited|forbidden|disclos|dissemin|copying|distribution|unbefugt|nicht gestattet|unzulässig|untersagt|verboten|interdit|non autoris|prohibid|vietat|proibid|verboden|niet toegestaan|förbjud|otillåt|forbudt|ikke tillatt|zabronion|kielletty|luvaton|zakázán|yasak",
    ),
    words(
      "liabilit|liable|views (?:or|and|expressed)|opinions|attachments?|haftung|anhänge|anlagen|pièces jointes|responsab|adjuntos|allegat|anexos|bijlagen|aansprakelij|bilagor|ansvar|załącznik|odpowiedzialno|liite|vastuu|příloh|odpovědnost|ekleri|sorumlu",
    ),
    // Every notice says what to do "if you are not" the intended recipient. A person who writes
    // about an email doesn't.
    words(
      "if (?:you|the reader|this|it)|should you|sollten sie|wenn sie|falls sie|si vous|si usted|si ha|si no es|si lo ha|se (?:avete|ha|non|lei|você|recebeu|não)|qualora|caso (?:você|não|tenha)|indien|als u|wanneer u|om du|hvis|dersom|jeśli|jeżeli|jos|pokud|jestliže|eğer",
    ),
  ],
  isEnough: (has, count) => has(0) && has(2) && has(7) && count >= 3 && (has(1) || has(3)),
};

/** The second half of a longer notice, which says less by itself. */
const DISCLAIMER: FooterKind = {
  marks: [
    words("any views|views or opinions|opinions (?:expressed|presented)|the sender|the company|the recipient should"),
    words("solely those of|do not necessarily (?:represent|reflect)|accepts no (?:liability|responsibility)"),
    words("(?:this|the) (?:e-?mail|message|communication|transmission)|attachments|author"),
  ],
  isEnough: (_, count) => count === 3,
};

const ANTIVIRUS: FooterKind = {
  marks: [
    words("virus|e-?mail security|viren|virů|viry|virüs|vírus|wirus|vira|viira|malware|dangerous content|вирус"),
    words(
      "avast|avg|avira|eset|norton|mcafee|kaspersky|sophos|bitdefender|f-secure|mailscanner|symantec|trend micro|panda|clamav|mimecast|messagelabs|defender|antivirus|antivir|https?:|www\\.",
    ),
    words(
      `${THIS_MAIL}|in this (?:incoming |outgoing )?message|l'absence de virus|bu e-?posta|tämä sähköposti|the message`,
    ),
    words(
      "checked|scanned|certified|no virus found|database|signature|geprüft|überprüft|gescannt|untersucht|vérifié|analysé|comprobado|analizado|verificad|escaneado|controllat|analizzat|gecontroleerd|gescand|genomsökts|kontrollerats|kontrolleret|scannet|sjekket|skannet|sprawdzon|przeskanowan|tarkistettu|skannattu|zkontrolován|taran|denetlen|kontrol edil",
    ),
    words(
      "virus-?free|virenfrei|sans virus|garanti sans virus|libre de virus|privo di virus|livre de vírus|sem vírus|virusvrij|virusfri|wolne od wirusów|bez wirusów|viruksista vapaa|ei viruksia|bez virů|virüs(?:süz| bulunm)",
    ),
  ],
  isEnough: (has) => has(0) && ((has(4) && has(1)) || [1, 2, 3].filter(has).length >= 2),
  never: words("you|your|invoice|infected|crash"),
};

const COMPANY_REGISTER: FooterKind = {
  marks: [
    /(?<!\p{L})(?:GmbH|AG|KG|KGaA|UG|OHG|e\.\s?K\.|e\.\s?V\.|Ltd|Limited|LLC|LLP|Inc|PLC|plc|S\.?A\.?S?|SARL|S\.?p\.?A|S\.?r\.?l|B\.?V|N\.?V|AB|A\/S|ApS|AS|ASA|Oy|Oyj|sp\. z o\.\s?o|s\.\s?r\.\s?o|a\.\s?s|A\.Ş|Ltd\. Şti|S\.?L\.?U?|Lda|GesmbH)(?!\p{L})/u,
    /(?<!\p{L})(?:HR[AB]\s?:?\s?\d|Handelsregister|Amtsgericht\s+\p{Lu}|Registergericht|Firmenbuch|FN\s?\d+\s?[a-z]|registered (?:in|office|number|no)|company (?:no|number|reg\p{L}*)\b[^\p{L}]{0,4}\d|reg(?:istration)?\.? no\b[^\p{L}]{0,4}\d|RCS\s+\p{Lu}|R\.C\.S|SIREN|SIRET|Registro Mercantil|REA\s+\p{Lu}|Registro (?:delle )?Imprese|KvK|K\.v\.K|Org\.?\s?-?nr|Org\.?nummer|CVR|KRS|REGON|Y-tunnus|IČO?\s?:?\s?\d|Mersis|Ticaret Sicil|CNPJ|NIPC|Conservatória|CHE-\d)/iu,
    /(?<!\p{L})(?:US?t\.?-?\s?Id\.?-?\s?(?:Nr)?\.?|UID|VAT(?: reg\p{L}*)?(?: no| number| id)?\.?|TVA(?: intracom\p{L}*)?|P\.?\s?IVA|Partita IVA|C\.?F\.?|CIF|NIF|BTW(?:-?nr)?|NIP|DIČ|Vergi (?:No|Dairesi)|Steuer(?:nummer|-?Nr)|MVA|ALV)\.?\s?[:#]?\s?(?:[A-Z]{2,3})?[\s-]?\d/iu,
    /(?<!\p{L})(?:Geschäftsführ\p{L}*|Vorstand(?:svorsitz\p{L}*)?|Vorsitzende\p{L}*|Aufsichtsrat\p{L}*|Managing Directors?|Directors?|Gérant|Amministratore(?: Unico)?|Zarząd|Toimitusjohtaja|Verkställande direktör|Jednatel)[^:.]{0,30}:|(?<!\p{L})(?:Sitz der Gesellschaft|Firmensitz|Registered office|Siège social|Sede legale|Sede social|Domicilio social|Statutaire zetel|Capital social|Capitale sociale|Share capital|Stammkapital|Au capital de|Kapitał zakładowy|Säte)/iu,
  ],
  isEnough: (has, count) => count >= 2 && (has(1) || has(2) || has(3)),
  never: words(
    "you|your|lawyer|anwalt|wrong|not|never|incorrect|missing|charged|refund|invoice|falsch|nicht|fehlt|rechnung|facture|erron|errat|factura|fattura|sue|court order|is (?!registered|authori[sz]ed|regulated|incorporated|an? |the )|are|was|were|moved|changed|expired|closed|old|ist|sind|war|wurde|stimmt|est|sont|était",
  ),
};

const UNSUBSCRIBING: FooterKind = {
  marks: [
    words(
      "unsubscrib|opt[- ]?out|abmelden|abbestellen|désabonn|désinscri|darse de baja|cancelar (?:la |su )?suscripción|cancella(?:re|ti)|disiscriv|annulla(?:re)? l['’]iscrizione|cancelar (?:a )?(?:inscrição|subscrição)|descadastr|uitschrijven|afmelden|avregistrera|avprenumerera|avsluta prenumeration|afmeld|avmeld|meld deg av|wypis|zrezygn|rezygnacj|peruuta|odhlásit|odhlaste|abonelikten|listeden ç",
    ),
    words(
      "you (?:are receiving|received|have received|get) this|you(?:'re| are) (?:subscribed|on our)|you subscribed|sie erhalten diese|sie bekommen diese|vous recevez ce|recibe este|recibes este|ha recibido este|riceve(?:te)? questa|ricevi questa|(?:está|você) receb|recebeu este|u ontvangt|je ontvangt|du får|du modtager|du mottar|otrzymujesz|otrzymał|saat tämän|dostáváte|bu e-?postayı",
    ),
    words(
      "https?:|www\\.|mailto:|click (?:here|below)|follow this link|hier klicken|klicken sie hier|cliquez ici|haga clic|aquí|clicca qui|clique aqui|klik hier|klicka här|klik her|klikk her|kliknij|klikkaa|klikněte|tıklayın",
    ),
    words(
      "manage (?:your )?(?:email )?(?:preferences|subscriptions?)|email preferences|update your (?:email )?preferences|privacy policy|view (?:this (?:email|message) )?(?:in|online)|preferences|einstellungen|datenschutz|im browser|préférences|preferencias|preferenze|voorkeuren",
    ),
    words("mailing list|mailing-list|google groups|listinfo|newsletter"),
  ],
  isEnough: (has) => (has(0) && (has(1) || has(2) || has(3))) || (has(4) && has(2)),
  never:
    /(?<!\p{L})(?:please (?:unsubscribe|remove|stop)|doesn|does not|didn|nothing|still|stop(?! receiving emails from it)|keep|spam|harass\p{L}*|broken|fail\p{L}*|error|terrible|awful|never)|n['’]t(?!\p{L})/iu,
};

const PRINTING: FooterKind = {
  marks: [
    words(
      "environment|umwelt|environnement|medio ?ambiente|ambiente|milieu|miljö|miljø|środowisk|ympäristö|životní prostředí|çevre|planet|save (?:a |the |some )?(?:trees?|paper)",
    ),
    words(
      "print|druck|ausgedruckt|ausdruck|imprim|stamp|afdruk|skriver ut|skriva ut|udskriv|skriv|druk|tulost|tisk|vytisk|yazdır",
    ),
    words(
      "consider|think|before|bitte|bevor|pensez|avant|antes|prima|pensa|voordat|denk|innan|tänk|før|tenk|overvej|przed|pomyśl|ennen|ajattele|než|dřív|myslete|önce|düşün",
    ),
  ],
  isEnough: (_, count) => count === 3,
  never: words("your print|my|crash|broken|error|driver"),
};

const KINDS = [CONFIDENTIALITY, DISCLAIMER, ANTIVIRUS, COMPANY_REGISTER, UNSUBSCRIBING, PRINTING];

/** The lines without footers and signatures below the customer's own words. */
export function withoutFooters(lines: readonly string[]): readonly string[] {
  let left = lines;
  for (let count = 0; count < MAX_FOOTERS; count++) {
    const end = trimmedEnd(left);
    const shorter = withoutSignature(end) ?? withoutFooter(end);
    if (shorter === undefined) return left;
    left = withoutTitles(shorter);
  }
  return left;
}

function withoutFooter(lines: readonly string[]): readonly string[] | undefined {
  for (const kind of KINDS) {
    const start = footerStart(lines, kind);
    if (start !== undefined) return lines.slice(0, start);
  }
  return undefined;
}

/**
 * Where a footer of this kind begins that continues to the end; undefined if there is none. It
 * begins with a mark or a title, each of its paragraphs has a mark, and the first has at least two.
 */
function footerStart(lines: readonly string[], kind: FooterKind): number | undefined {
  const all = new Set<number>();
  let paragraph = new Set<number>();
  let start: number | undefined;
  let next = "";
  for (let index = lines.length - 1; index >= Math.max(0, lines.length - MAX_FOOTER_LINES); index--) {
    const line = lines[index]!.trim();
    if (line === "") {
      if (paragraph.size === 0 && next !== "") return start;
      [paragraph, next] = [new Set(), ""];
      continue;
    }
    if (isSpoken(line, kind)) return start;
    // Together with the line below, because phrases may be wrapped.
    const pair = `${line} ${next}`;
    for (const mark of marksIn(pair, kind)) {
      paragraph.add(mark);
      all.add(mark);
    }
    next = paragraph.size === 0 && (isSeparator(line) || isShortLink(line)) ? "" : line;
    const begins = isTitle(line) || marksIn(pair.slice(0, BEGINNING), kind).length > 0;
    if (begins && paragraph.size >= 2 && kind.isEnough((mark) => all.has(mark), all.size)) start = index;
  }
  return start;
}

const BEGINNING = 70;

const marksIn = (text: string, { marks }: FooterKind): number[] =>
  marks.flatMap((mark, number) => (mark.test(text) ? [number] : []));

/**
 * Whether a person has written this line: a question, an exclamation, something about themselves, a
 * complaint, a very long line, or words that no such footer has.
 */
const isSpoken = (line: string, { never }: FooterKind): boolean =>
  line.length > MAX_LINE_LENGTH ||
  /[!?]/.test(line.replaceAll(/https?:\/\/\S+/g, "")) ||
  FIRST_PERSON.test(line) ||
  COMPLAINT.test(line) ||
  never?.test(line) === true;

/** The title of a notice, by itself on a line. */
const isTitle = (line: string): boolean =>
  /^[^\p{L}]*(?:(?:e-?mail |legal |privacy )?(?:confidentiality )?(?:notice|disclaimer)|haftungsausschluss|vertraulichkeitshinweis|rechtlicher hinweis|avis de confidentialité|aviso legal|aviso de confidencialidad|avviso di riservatezza|aviso de confidencialidade)[^\p{L}]*$/iu.test(
    line,
  );

function withoutTitles(lines: readonly string[]): readonly string[] {
  const left = withoutSeparators(lines);
  return isTitle(left.at(-1) ?? "") ? withoutSeparators(left.slice(0, -1)) : left;
}
