import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replySubject } from "../../../src/integrations/email/reply-subject.ts";

describe("replySubject", () => {
  it.each([
    ["My order", "RE: My order"],
    ["Re: My order", "RE: My order"],
    ["re : My order", "RE: My order"],
    ["RE[2]: My order", "RE: My order"],
    ["Re(3): My order", "RE: My order"],
    ["RE: Re: re: My order", "RE: My order"],
    ["Re：注文", "RE: 注文"],
    ["Refund: where is it?", "RE: Refund: where is it?"],
    ["Return", "RE: Return"],
    ["Hello\r\nBcc: eve@evil.example", "RE: Hello Bcc: eve@evil.example"],
    ["a\u2028b\u0085c\0d\te", "RE: a b c d e"],
    ["half a pair \uD83D", "RE: half a pair \uFFFD"],
    ["\u200Fשלום", "RE: \u200Fשלום"],
    ["Re: Invoice \u202Efdp.exe\u202C", "RE: Invoice fdp.exe"],
    ["Antw.: x", "RE: x"],
    ["Réf : x", "RE: x"],
    ["Réponse : x", "RE: x"],
    ["Odg: x", "RE: x"],
    ["[EXT] Re: x", "RE: x"],
    ["[EXTERNAL] RE: TR: x", "RE: TR: x"],
    ["[EXT] Order", "RE: [EXT] Order"],
    ["TR: 303 drum machine", "RE: TR: 303 drum machine"],
    ["RE: TR: 303 drum machine", "RE: TR: 303 drum machine"],
    ["RE: AW: TR: Re: 303 drum machine", "RE: 303 drum machine"],
    ["VS: Code extension", "RE: VS: Code extension"],
    ["Res: 1080p missing", "RE: Res: 1080p missing"],
    ["Re:", "RE:"],
    ["AW: Meine Bestellung", "RE: Meine Bestellung"],
    ["Antw: Antwort: x", "RE: x"],
    ["RE: AW: Re: SV: VS: x", "RE: x"],
    ["RÉP : Ma commande", "RE: Ma commande"],
    ["Re\u0301p\u00A0: x", "RE: x"],
    ["TR : RE : x", "RE: x"],
    ["RIF: RES: ODP: YNT: x", "RE: x"],
    ["WG: FW: Fwd: x", "RE: x"],
    ["VB: RV: ENC: PD: FS: VL: DOORST: x", "RE: x"],
    ["İLT: ilt: x", "RE: x"],
    ["ΑΠ: ΣΧΕΤ: απ: x", "RE: x"],
    ["回复：订单", "RE: 订单"],
    ["答复: 转发：订单", "RE: 订单"],
    ["返信: x", "RE: x"],
    ["رد: تعليق: طلب", "RE: طلب"],
    ["\u200FRe: שלום", "RE: שלום"],
    ["Aw[3]: Re(2) : RE^2: x", "RE: x"],
    ["R: RE: Ordine", "RE: Ordine"],
    ["Re: R: I: Ordine", "RE: I: Ordine"],
    ["I: have a problem", "RE: I: have a problem"],
    ["R: the language", "RE: R: the language"],
    ["Re-design", "RE: Re-design"],
    ["Rif 2", "RE: Rif 2"],
    ["SV Hamburg", "RE: SV Hamburg"],
    ["Ref: 12345", "RE: Ref: 12345"],
    ["RE2: a library", "RE: RE2: a library"],
    ["Trip: Berlin", "RE: Trip: Berlin"],
    ["Awful: it broke", "RE: Awful: it broke"],
    ["A: B: C", "RE: A: B: C"],
    ["My Re: order", "RE: My Re: order"],
  ])("answers %j with %j", (subject, reply) => {
    expect(replySubject(subject)).toBe(reply);
  });

  const subjects = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    fc
      .array(
        fc.constantFrom(
          "re",
          "RE:",
          "Re[1]:",
          "AW:",
          "Fwd :",
          "回复：",
          "antw",
          "[2]",
          " ",
          "\r",
          "\n",
          "\u2029",
          ":",
          "x",
          "：",
        ),
        { maxLength: 20 },
      )
      .map((parts) => parts.join("")),
  );

  it("is one line that begins with one RE:, and does not change when it is answered again", () => {
    fc.assert(
      fc.property(subjects, (subject) => {
        const reply = replySubject(subject);
        expect(reply).toMatch(/^RE:(?: |$)/);
        expect(reply).not.toMatch(/^RE:\s*re\s*(?:\[\d+\])?:/i);
        // eslint-disable-next-line no-control-regex -- none may be left
        expect(reply).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/);
        expect(replySubject(reply)).toBe(reply);
      }),
      { numRuns: 1000 },
    );
  });

  it("keeps every word of an ordinary subject", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        expect(replySubject(words.join(" "))).toBe(`RE: ${words.join(" ")}`);
      }),
    );
  });
});
