import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { detectLanguage, isShortText } from "../../src/analysis/language.ts";
import { HOSTILE_TEXTS } from "./hostile-texts.ts";

describe("detectLanguage", () => {
  it.each([
    ["en", "The parcel came late and the box was damaged."],
    ["en", "Works great with my old laptop, highly recommended"],
    ["en", "Cute, quaint, simple, honest."],
    ["de", "Das Produkt ist leider kaputt angekommen und niemand antwortet."],
    ["fr", "Le produit est excellent, je le recommande."],
    ["es", "Me encanta este producto, muy bueno."],
    ["it", "Il prodotto è arrivato rotto."],
    ["sv", "Produkten var trasig när den kom."],
    ["pl", "Produkt jest świetny, polecam wszystkim."],
    ["ru", "Ужасный сервис, верните деньги"],
    ["ja", "製品は素晴らしいです"],
    ["zh", "很好用的产品"],
    ["ar", "المنتج ممتاز"],
    ["ru", "Плохо"],
    ["de", "Das war super"],
    ["de", "Gift war defekt"],
    ["de", "Fatal error beim Login"],
    ["fr", "Très déçu"],
    ["fr", "Le support technique est excellent"],
    ["es", "Muy bueno"],
    ["es", "Terrible servicio"],
    ["es", "No funciona"],
    ["fr", "Mauvais service"],
    ["fr", "Excellent produit"],
    ["de", "Sehr schlecht"],
    ["de", "Funktioniert nicht"],
    ["it", "Pessimo servizio"],
    ["pt", "Péssimo serviço"],
    ["fi", "Erittäin huono"],
    ["en", "Lovely décor"],
    ["ro", "Nu este bine, am așteptat trei săptămâni pentru livrare și nimic."],
    ["ca", "El producte va arribar trencat i ningú no respon als meus missatges."],
    ["is", "Varan kom skemmd og enginn svarar skilaboðum mínum, þetta er slæmt."],
    ["hr", "Proizvod je stigao oštećen i nitko ne odgovara na moje poruke već tjednima."],
  ])("says %s of: %s", (language, text) => {
    expect(detectLanguage(text)).toBe(language);
  });

  it.each([
    "",
    "   ",
    "okay",
    "Super gut",
    "All is war",
    "No wifi",
    "It’s broken",
    "!!!",
    "12345",
    "MINDY MINDY MINDY MINDY",
    "👍",
  ])("does not guess the language of so short a text: %j", (text) => {
    expect(detectLanguage(text)).toBe("und");
  });

  it.each(["Škoda broken", "Über app crashes", "Mala beads broken", "El Paso store broken", "Crème caramel broken"])(
    "does not take foreign names beside an English opinion for another language: %s",
    (text) => {
      expect(detectLanguage(text)).not.toBe("und");
      expect(detectLanguage(text, (word) => word === "broken" || word === "crashes")).toBe("und");
    },
  );

  it.each(["Terrible servicio", "Excellent produit", "Fatal error beim Login"])(
    "knows that other languages use English opinion words: %s",
    (text) => {
      expect(detectLanguage(text, (word) => /^(?:terrible|excellent|fatal|error)$/.test(word))).toMatch(
        /^(?:es|fr|de)$/,
      );
    },
  );

  it.each([
    "Tá an tseirbhís go dona agus níor fhreagair éinne mo theachtaireacht",
    "Bidhaa ilifika ikiwa imeharibika na hakuna mtu anayejibu ujumbe wangu",
    "Mae'r gwasanaeth yn ofnadwy ac ni chefais ateb o gwbl gan y cwmni",
  ])("does not take a longer text without a single frequent word for English: %s", (text) => {
    expect(detectLanguage(text)).toBe("und");
    expect(isShortText(text)).toBe(false);
  });

  it("reads only the beginning of a text", () => {
    const german = "Das Produkt ist leider kaputt angekommen und niemand antwortet. ".repeat(12);
    const english = "The parcel came late and the box was damaged. ".repeat(60);
    expect(detectLanguage(german + english)).toBe("de");
    expect(detectLanguage(english + german)).toBe("en");
  });

  it("does not take a text for English because it quotes some", () => {
    const german = "Das Produkt ist leider kaputt angekommen und niemand antwortet mir. ".repeat(4);
    expect(detectLanguage(`${german} Error: could not open the file`)).toBe("de");
  });

  it("does not count links and mentions as words", () => {
    expect(detectLanguage("@kunden @beratung https://beispiel.de/das/ist/eine/deutsche/seite ok")).toBe("und");
  });

  it("returns a code for any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(detectLanguage(text)).toMatch(/^[a-z]{2,3}$/u);
      }),
    );
  });

  it.each(Object.entries(HOSTILE_TEXTS))("takes little time for a million characters: %s", (_, text) => {
    expect(detectLanguage(text)).toMatch(/^[a-z]{2,3}$/u);
  });
});
