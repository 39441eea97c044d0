/**
 * Words of a person who writes about themselves. Those that are also a name or an abbreviation
 * (Mia, IO) count in lower case only.
 */
export const FIRST_PERSON =
  /(?<![\p{L}.])(?:I(?!\.|\p{L}|\/)|[Mm]y|me|mine|myself|[Ii]ch|[Mm]ich|[Mm]ir|[Mm]ein(?:e[mnrs]?)?|[Jj]e (?:ne|n['’]\p{L}+|suis|vous|veux|voudrais|me|m['’]\p{L}+|demande|souhaite)|[Jj]['’]\p{L}+|mon|moi|[Yy]o|mis|io|mio|mia|miei|[Ee]u|[Mm]eu|[Mm]inha|[Ii]k|[Mm]ijn|[Jj]ag|mig|[Jj]eg|meg|mnie|moja|moje|minä|minun|minulle|můj|benim|bana)(?![\p{L}.@])/u;

/** A line of nothing but dashes and the like. */
export const isSeparator = (line: string): boolean => /^[\s\-_=*#~•·—–]{3,}$/u.test(line) && line.trim() !== "";

/** A line with one link and nothing else, as mail programs put below "Get Outlook for iOS". */
export const isShortLink = (line: string): boolean =>
  line.length <= 300 && /^[\s<([]*(?:https?:\/\/|www\.)[^\s]+$/iu.test(line);

/** The lines without empty lines at the end. */
export function trimmedEnd(lines: readonly string[]): readonly string[] {
  let end = lines.length;
  while (end > 0 && lines[end - 1]!.trim() === "") end -= 1;
  return lines.slice(0, end);
}

/**
 * The lines without empty lines and separators at the end, which only set them off from what was
 * below.
 */
export function withoutSeparators(lines: readonly string[]): readonly string[] {
  let end = lines.length;
  while (end > 0 && (lines[end - 1]!.trim() === "" || isSeparator(lines[end - 1]!))) end -= 1;
  return lines.slice(0, end);
}

/** What customers complain about, and footers never mention. */
export const COMPLAINT =
  /(?<!\p{L})(?:breach|leak(?:s|ed|ing)?|hack(?:ed|ers?)?|scam\p{L}*|strangers?|stolen|charged|refund\p{L}*|invoices?|bills?|bug|bugs|buggy|broken|crash\p{L}*|wrong|outdated|publicly|twice|data of|is down|not working|your (?:forum|shop|site|website|app|support|update|service|bot)|falsch\p{L}*|kaputt|veraltet|rechnung\p{L}*|abgebucht|erstattung|datenleck|öffentlich|fremden?|facture\p{L}*|rembours\p{L}*|votre (?:forum|site|boutique|application|service)|fuite|factura|reembolso|vuestro|fattura|rimborso|vostro sito)(?!\p{L})/iu;
