import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ownWords } from "../../../src/analysis/own-words/own-words.ts";
import { cpuSeconds } from "../../support/cpu-seconds.ts";

/** Text below a customer's own words in real emails. */
const BELOW = {
  quotations: [
    "On Mon, May 5, 2026 at 10:00 AM Ann Ford <ann@shop.example> wrote:\n\n> Your invoice\n> is overdue",
    "On 5/5/26 10:00, Support wrote:\n> Your invoice",
    "On Tuesday, 5 May 2026 at 10:00:00 am GMT, Support <ann@shop.example> wrote:\n\nYour invoice was hacked.\n\nAnn",
    "Am Di., 5. Mai 2026 um 10:00 Uhr schrieb Support <ann@shop.example>:\n\n> Ihre Rechnung",
    "Am 05.05.26 um 10:00 schrieb Support:\n\nIhre Rechnung",
    "Le lun. 5 mai 2026 à 10:00, Service clients <ann@boutique.example> a\nécrit :\n\n> facture",
    "El mar, 5 may 2026 a las 10:00, Soporte (<ann@tienda.example>) escribió:\n\n> factura",
    "Il giorno mar 5 mag 2026 alle ore 10:00 Ann <ann@shop.example> ha scritto:\n\n> fattura",
    "Em ter., 5 de mai. de 2026 às 10:00, Ann <ann@loja.example> escreveu:\n\n> fatura",
    "Op di 5 mei 2026 om 10:00 schreef Ann <ann@winkel.example>:\n> factuur",
    "Den tir. 5. maj 2026 kl. 10.00 skrev Ann <ann@shop.example>:\n\n> faktura",
    "tis 5 maj 2026 kl. 10:00 skrev Ann <ann@shop.example>:\n\n> faktura",
    "man. 5. mai 2026 kl. 10:00 skrev Ann <ann@shop.example>:\n\n> faktura",
    "wt., 5 maj 2026 o 10:00 Ann <ann@sklep.example> napisał(a):\n\n> faktura",
    "ti 5. toukok. 2026 klo 10.00 Ann (ann@kauppa.example) kirjoitti:\n\n> lasku",
    "út 5. 5. 2026 v 10:00 odesílatel Ann <ann@obchod.example> napsal:\n\n> faktura",
    "Ann <ann@shop.example>, 5 May 2026 Sal, 10:00 tarihinde şunu yazdı:\n\n> fatura",
    "пн, 5 мая 2026 г. в 10:00, Ann <ann@shop.example>:\n\n> счет",
    "在 2026年5月5日 10:00，Ann <ann@shop.example> 写道：\n> 发票",
    "> On 5 May 2026, at 10:00, Ann Ford <ann@shop.example> wrote:\n> \n> Your invoice was hacked\n> \n> Ann",
    "> Le 5 mai 2026 à 10:00, Ann Ford\n> <ann@boutique.example> a écrit :\n> \n> facture",
    "> 2026/05/05 10:00、Ann <ann@shop.example>のメール:\n> \n> invoice",
    "Citando Ann <ann@loja.example>:\n\n> fatura",
    "---- On Mon, 05 May 2026 10:00:00 +0200 Ann <ann@shop.example> wrote ----\n\nYour invoice",
    "-----Original Message-----\nFrom: Ann\n\nYour invoice",
    "-----Ursprüngliche Nachricht-----\nVon: Ann\n\nIhre Rechnung",
    "---------- Forwarded message ---------\nFrom: Ann <ann@shop.example>\nDate: Mon\n\nYour data was leaked",
    "________________________________\nFrom: Ann Ford\nSent: Monday, May 5, 2026 10:00 AM\nTo: Bob\nSubject: Your invoice\n\nIt is overdue",
    "Von: Ann <ann@shop.example>\nGesendet: Montag, 5. Mai 2026 10:00\nAn: Bob\nBetreff: Rechnung\n\nIhre Rechnung",
    "De : Ann <ann@boutique.example>\nEnvoyé : lundi 5 mai 2026 10:00\nÀ : Bob\nObjet : Votre facture\n\nfacture",
    "*From:* Ann <ann@shop.example>\n*Sent:* Monday, 5 May 2026\n*To:* Bob\n*Subject:* Data breach\n\nbreach",
    "##- Please type your reply above this line -##\nYour ticket about billing",
  ],
  "lines of mail programs": [
    "Sent from my iPhone",
    "Sent from Mail for Windows 10",
    "Sent from my Samsung Galaxy smartphone.",
    "Sent from my mobile. Please excuse brevity and typos.",
    "Sent with Proton Mail secure email.",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Get Outlook for Android\n<https://aka.ms/AAb9ysg>",
    "Von meinem iPhone gesendet",
    "Diese Nachricht wurde von meinem Android Mobiltelefon mit GMX Mail gesendet.",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Enviado do meu iPhone",
    "Verzonden vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Wysłane z iPhone'a",
    "Lähetetty iPhonesta",
    "Odesláno z iPhonu",
    "iPhone'umdan gönderildi",
    "发自我的 iPhone",
    "Envoyé à partir de Outlook pour Android<https://aka.ms/AAb9ysg>",
    "Verzonden vanaf Outlook voor iOS",
    "Skickat från Outlook för iOS",
    "Hent Outlook til iOS",
    "Ottieni Outlook per Android",
  ],
  "antivirus footers": [
    "This email has been checked for viruses by Avast antivirus software.\nwww.avast.com",
    "-- \nThis email has been checked for viruses by Avast antivirus software.\nhttps://www.avast.com/antivirus",
    "Virus-free. www.avg.com",
    "Virenfrei. www.avast.com",
    "-----\nNo virus found in this message.\nChecked by AVG - www.avg.com\nVersion: 2012.0.1 / Virus Database: 2092/3906 - Release Date: 09/17/11",
    "__________ Information from ESET NOD32 Antivirus, version of virus signature database 4 (2) __________\n\nThe message was checked by ESET NOD32 Antivirus.\n\nhttp://www.eset.com",
    "This message has been scanned for viruses and\ndangerous content by MailScanner, and is\nbelieved to be clean.",
    "Diese E-Mail wurde von Avast-Antivirussoftware auf Viren geprüft.\nwww.avast.com",
    "L'absence de virus dans ce courrier électronique a été vérifiée par le logiciel antivirus Avast.\nwww.avast.com",
    "______________\nThis email has been scanned by the Symantec Email Security.cloud service.\nFor more information please visit http://www.symanteccloud.com",
    "Este correo electrónico ha sido comprobado en busca de virus con Avast antivirus.",
  ],
  "confidentiality notices": [
    "This e-mail and any attachments are confidential and intended solely for the\naddressee. If you have received it in error, please notify the sender and\ndelete it. Any unauthorised disclosure is prohibited and may be unlawful.",
    "CONFIDENTIALITY NOTICE: This message may contain legally privileged information. If you are not the intended recipient, please contact us.\n\nAny views or opinions are solely those of the author and do not necessarily represent those of the company. The company accepts no liability for any damage caused by any virus transmitted by this email.",
    "The information contained in this transmission may contain privileged and confidential information. It is intended only for the use of the person(s) named above. If you are not the intended recipient, you are hereby notified that any distribution of this communication is strictly prohibited.",
    "Disclaimer\n\nThis message (including attachments) is confidential. If you received it in error, delete it and notify legal@acme.example.",
    "Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen. Wenn Sie nicht der richtige Adressat sind oder diese E-Mail irrtümlich erhalten haben, informieren Sie bitte sofort den Absender und vernichten Sie diese Mail.",
    "Ce message et toutes les pièces jointes sont confidentiels et établis à l'intention exclusive de ses destinataires. Si vous avez reçu ce message par erreur, merci de le détruire.",
    "Este mensaje y sus adjuntos son confidenciales y van dirigidos exclusivamente a su destinatario. Si usted ha recibido este mensaje por error, elimínelo.",
    "Le informazioni contenute nella presente comunicazione e i relativi allegati possono essere riservate e sono destinate esclusivamente alle persone sopraindicate. Se avete ricevuto questo messaggio per errore, vi preghiamo di distruggerlo.",
    "Questo messaggio e i suoi allegati sono riservati e destinati esclusivamente al destinatario. Se avete ricevuto questo messaggio per errore, cancellatelo.",
    "Esta mensagem é confidencial e destina-se exclusivamente ao destinatário. Se você recebeu esta mensagem por engano, apague-a.",
    "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Indien u dit bericht abusievelijk ontvangt, verwijder het dan.",
    "Detta e-postmeddelande är konfidentiellt och endast avsett för mottagaren. Om du har fått det av misstag, radera det.",
    "Denne e-mail er fortrolig og kun beregnet til modtageren. Hvis du har modtaget den ved en fejl, bedes du slette den.",
    "Denne e-posten er konfidensiell og kun tiltenkt mottakeren. Hvis du har mottatt den ved en feil, vennligst slett den.",
    "Niniejsza wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Jeśli otrzymali ją Państwo omyłkowo, prosimy o usunięcie.",
    "Tämä sähköpostiviesti on luottamuksellinen ja tarkoitettu vain vastaanottajalle. Jos olet saanut viestin vahingossa, poista se.",
    "Tato zpráva je důvěrná a určená pouze adresátovi. Pokud jste ji obdrželi omylem, smažte ji.",
    "Bu e-posta gizlidir ve yalnızca alıcısı içindir. Eğer yanlışlıkla aldıysanız lütfen siliniz.",
  ],
  "company register lines": [
    "Acme GmbH\nGeschäftsführer: Max Muster\nAmtsgericht München, HRB 12345\nUSt-IdNr.: DE123456789",
    "Sitz der Gesellschaft: München, Registergericht: Amtsgericht München, HRB 12345",
    "Acme Ltd, registered in England and Wales No. 01234567. Registered office: 1 High Street, London.",
    "Acme SAS au capital de 10 000 €\nRCS Paris B 123 456 789 - SIRET 12345678900012\nTVA FR12345678901",
    "Acme B.V. | KvK 12345678 | BTW NL123456789B01",
    "Acme S.r.l. - P.IVA 01234567890 - REA MI-123456",
  ],
  signatures: [
    "Kind regards,\nAnn Ford\nLegal Department\nTel: +44 20 1234 5678",
    "Best regards,\nJohn Smith\nSenior Legal Counsel, Acme Security Inc.\nwww.acme.example",
    "Kind Regards\n\nJohn\n\nJohn Smith\nBilling & Invoicing Manager\nM: +1 555 123 4567",
    "-- \nAnn Ford | Data Security Officer\nAcme Billing Services",
    "--\nAnn Ford\nann@acme.example",
    "Mit freundlichen Grüßen\n\nAnn Ford\nBuchhaltung, Acme GmbH",
    "Cordialement,\nAnn",
    "С уважением,\nАнна",
  ],
  "footers of newsletters and lists": [
    '-- \nYou received this message because you are subscribed to the Google Groups "billing-security" group.\nTo unsubscribe from this group and stop receiving emails from it, send an email to billing-security+unsubscribe@lists.example.',
    "You are receiving this email because you signed up.\nUnsubscribe | Privacy policy | View in browser",
    "To unsubscribe click here: https://news.example/u?id=1",
    "_______________________________________________\nUsers mailing list\nUsers@lists.example\nhttps://lists.example/listinfo/users",
    "Please consider the environment before printing this e-mail.",
  ],
};

const OWN = "I love it. Thank you so much!";

describe("the customer's own words", () => {
  describe.each(Object.entries(BELOW))("are judged without %s", (_, footers) => {
    it.each(footers)("%j", (footer) => {
      expect(ownWords(`${OWN}\n\n${footer}`)).toBe(OWN);
      expect(ownWords(`${OWN}\r\n\r\n${footer.replaceAll("\n", "\r\n")}\r\n`)).toBe(OWN);
    });
  });

  it("are found above everything that can be below them in one email", () => {
    const below = [BELOW.signatures, BELOW["company register lines"], BELOW["confidentiality notices"]].map(
      ([first]) => first,
    );
    const text = [OWN, ...below, "Sent from my iPhone", BELOW["antivirus footers"][0], BELOW.quotations[0]].join(
      "\n\n",
    );
    expect(ownWords(text)).toBe(OWN);
  });

  it("are not taken for a title above a footer", () => {
    const text = "Great.\nPlease note: I was charged twice";
    expect(ownWords(`${text}\n\nVirus-free. www.avg.com`)).toBe(text);
  });

  it("include the answers between and below quoted lines", () => {
    expect(
      ownWords(
        "On Mon, May 5, 2026 at 10:00 AM Ann <ann@shop.example> wrote:\n> Did the invoice arrive?\nNo, it did not.\n>> And the refund?\n\nNeither.",
      ),
    ).toBe("No, it did not.\n\nNeither.");
    expect(
      ownWords(
        "On Mon, May 5, 2026 at 10:00 AM Ann <ann@shop.example> wrote:\n> What do you click?\nSettings\n> Billing > Refund",
      ),
    ).toBe("Settings\n> Billing > Refund");
    expect(ownWords("You said:\n> the refund is on its way\nIt never came.")).toBe("It never came.");
  });

  it.each([
    ["> Your invoice\n> is overdue"],
    ["-----Original Message-----\nFrom: A <a@b.example>\nSent: 5 May\nTo: b\nSubject: x\n\nThe forwarded text"],
    ["Sent from my iPhone"],
    ["Kind regards,\nAnn"],
  ])("are the whole text if it has nothing else: %j", (text) => {
    expect(ownWords(text)).toBe(text);
  });

  it("are a quotation without its footers if there is nothing else", () => {
    expect(ownWords("> Your invoice is overdue\n\nVirus-free. www.avg.com")).toBe("> Your invoice is overdue");
  });

  it.each([
    "I wrote: this is bad\nAnd it crashed.",
    "From: the very beginning it was bad.\nI hate it.",
    "From: Berlin\nTo: Paris\nDate: 5 May 2026\nThe parcel never arrived.",
    "It works.\n--\nBut the billing is wrong, I was charged twice.",
    "Good product.\n\n--\n\nBilling was wrong.",
    "- slow\n- crashes\n-- and I was charged twice",
    "Confidential data was leaked!",
    "Notice\nof termination",
    "Legal notice: I will sue you",
    "I received an email with confidential data of another customer in error. Delete it and notify the recipient.",
    "This email was sent to the wrong recipient.\nIt contains confidential data!",
    "The information in this email you sent is confidential and belongs to another customer.\nYou disclosed it in error.",
    "Virus found in your download, checked by Norton.",
    "Your product says: this email has been checked for viruses. It lied, a virus came through.",
    "Unsubscribe me!",
    "Please unsubscribe ann@home.example at https://news.example",
    "Unsubscribe link https://news.example doesn't work",
    "Bad.\n\nYou are receiving this email because your product broke.",
    "The product is fine.\n\nSent from my phone and the upload crashed",
    "Sent from the shop in a broken box",
    "Thanks\nThe invoice is wrong",
    "Thanks,\nbroken screen\ncharged twice",
    "Thank you,\nVery Bad Service",
    "Regards,\nA Disappointed Customer",
    "Kind regards to the team, but the app crashes",
    "Kind regards,\nAnn\n\nPS: I was charged twice!",
    "Problems:\n> slow\n> crashes",
    "> 50% of my orders arrive broken\nAwful.",
    ">:( really not good",
    "On 5 May 2026 at 10:30 your agent wrote:\nYou get your money.\nIt never happened, I was charged twice.",
    "My boss <boss@work.example> wrote on 5.5.2026 at 10:00:\nCancel the contract, they leaked data.",
    "On Monday 5 May 2026 at 10:00 it crashed. The log said:\nsecurity exception",
    "The VAT number GB123 on the invoice of Acme Ltd is wrong.",
    "Amtsgericht München wird sich mit Ihnen befassen.",
    "The app works.\n\nThis e-mail feature is broken\nIt deletes attachments by mistake",
    "Please consider the environment before you send parcels this large.",
    "Trailing blanks stay  \n\n",
    "Nice app.\n\nThis message was intended only for support, but your forum shows our confidential data publicly. It was disclosed in error.",
    "Super appli.\n\nCe message confidentiel était destiné à un autre client, il a été diffusé par erreur sur votre forum.",
    "Lovely shop.\n\nUnsubscribe link leads to https://x.example/login where strangers see the data of others, a security breach",
    "Nice app.\n\nRegistered office is outdated on the bill, ACME Ltd moved. VAT GB123456789 expired",
    "Love it, but\n\nbefore the update one could print labels without trees of menus; consider it a bug",
    "Great app, but your email had this:\nFrom: Shop <billing@shop.example>\nDate: 4 May 2026\nSubject: Invoice 42\nand the amount was wrong. I was charged twice and want a refund!",
    "Great app, but your email had this:\n\nFrom: Shop <billing@shop.example>\nDate: 4 May 2026\nSubject: Invoice 42\n\nI was charged twice!",
    "Lovely shop, but a scammer writes to your customers\nFrom: Shop <billing@shop.example>\nDate: 4 May 2026\nSubject: Payment failed\n\nHe has our names and orders, so you have a data breach. Please act.",
    "Lovely shop, but look\n\nFrom: Shop <billing@shop.example>\nDate: 4 May 2026\nSubject: Payment failed\nHe has our names and orders, so you have a data breach.",
    "Lovely shop, but look what came\n\nFrom: Shop <billing@shop.example>\nDate: 4 May 2026\nSubject: Payment failed\n\nYou have a data breach.",
    "Please read what your support wrote to me.\n\nFrom: Shop <billing@shop.example>\nSent: Monday, 4 May 2026\nTo: Bob\nSubject: Refund\n\nNo refund.\n\nThis is a disgrace, my lawyer will be in touch.",
    "Lesen Sie, was Ihr Kundendienst mir schreibt.\n\nVon: Shop <billing@shop.example>\nGesendet: Montag, 4. Mai 2026\nAn: Bob\nBetreff: Erstattung\n\nKeine Erstattung.\n\nDas ist Betrug.",
    "Love the idea. What I saw today\n> security breach: data of others shown\n> I was charged twice\nPlease help",
    "Love the idea. I click Settings\n> Billing > Refund and see the invoice of another customer, a data breach",
    "Best regards\nAnna Berg\nwww.berg.example is down since your update, all data lost",
    "Great.\n-- \nAnna\nthe invoice was charged twice, refund please",
    "Great.\n\nThanks,\nAnna\nPhone 030 1234567: charged twice for it",
    "Nice mail. My answers are below, in red.\n\n-----Original Message-----\nFrom: Ann\n\nDid it arrive? No, it is broken.",
    "Danke, Antworten unten.\n\nAm 05.05.26 um 10:00 schrieb Support:\n> Ist es da? Nein, es ist kaputt.",
    "Hello Ann,\n\nAm 05.05.26 um 10:00 schrieb Support:\n\nIst es da?\nNein.",
    "Thanks!\n\n-----Original Message-----\nFrom: Ann\n\nDid it arrive?\nIt is broken.",
    "Nice.\n\nOn Mon, May 5, 2026 at 10:00 AM Ann Ford <ann@shop.example> wrote:\n\nI was charged twice.",
  ])("are left whole if they only look like quoted mail: %j", (text) => {
    expect(ownWords(text)).toBe(text);
  });

  it.each([
    `It crashes.\nab${" ".repeat(20_000)}c`,
    Array(300)
      .fill(`-- wrote a${"1".repeat(180)}${"-".repeat(190)}x`)
      .join("\n"),
  ])("are found in linear time if long lines only begin like marks of email", (text) => {
    expect(cpuSeconds(() => ownWords(text))).toBeLessThan(1);
    expect(ownWords(text)).toBe(text);
  });

  const marks = Object.values(BELOW)
    .flat()
    .flatMap((footer) => footer.split("\n"));
  const line = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(...marks),
    fc.constantFrom("", " ", "> quoted", "> 50%", "Problems:", "You wrote:", "--", "-- ", "---", "Thanks,", "Ann", OWN),
  );
  const texts = fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n"));

  it("are lines of the text, in order, and applying the function again changes nothing", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const own = ownWords(text);
        const rest = text.split(/\r\n|\r|\n/);
        const isInOrder = (one: string): boolean => rest.splice(0, rest.indexOf(one) + 1).includes(one);
        expect(own === text || own.split("\n").every(isInOrder)).toBe(true);
        expect(ownWords(own)).toBe(own);
        expect(own.trim() === "").toBe(text.trim() === "");
      }),
      { numRuns: 2000 },
    );
  });

  it("are the whole text if it contains no mark of email", () => {
    const word = fc.stringMatching(/^[a-z]{1,8}$/).filter((one) => !/virus|print|sent|unsub|thank|regard/.test(one));
    const prose = fc.array(
      fc.array(word, { minLength: 6 }).map((words) => words.join(" ")),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(prose, (lines) => {
        expect(ownWords(lines.join("\n"))).toBe(lines.join("\n"));
      }),
    );
  });
});
