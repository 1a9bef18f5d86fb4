#!/usr/bin/env python3
"""gen_corpus.py - seeded generator of business-like e-mail (standard library only).

    gen_corpus.py --set small|medium|large --out DIR [--seed 1] [--count N] [--stats-only]

Writes DIR/Maildir/{cur,new,tmp} (LF line ends, names carry ,S=<bytes>,W=<bytes with CRLF>,
file time = message date), DIR/manifest.tsv (name, kind, sha256, S, W, Message-ID) and
DIR/stats.json.  The same arguments give the same bytes.

Sets
  small   2,000 messages, full mix            medium  20,000 messages, full mix
  large   200,000 messages, "text" mix: same kinds, but no attachments, small bodies

Mix of the generated part, by kind (share of small/medium | of large)
  thread    45 % | 47 %  customer <-> company conversation: In-Reply-To, References, quoted reply
  plain     10 % | 14 %  single short message
  attach     8 % |  0 %  conversation message with 1-3 attachments, 20 KB-2 MB (log-uniform),
                         drawn Zipf-like from a pool of count/60 blobs, so the same bytes recur
  news      13 % | 12 %  newsletter: HTML + text, List-Id, List-Unsubscribe, tracking links
  notify    14 % | 18 %  shop order / invoice / monitoring notice, Auto-Submitted
  inline     3 % |  0 %  multipart/related with a logo of 3-15 KB
  auto       2 % |  3 %  out-of-office reply
  bounce     2 % |  3 %  multipart/report delivery status
  invite     2 % |  3 %  text/calendar meeting request
  dup        1 % |  0 %  second copy of an earlier message: same Message-ID, other transport headers
Languages: cs 46 %, sk 14 %, pl 18 %, en 18 %, de 4 %.
Charsets: utf-8 72 %, else windows-1250 / iso-8859-2 (cs, sk, pl), iso-8859-1 (de), us-ascii (en).
Transfer encodings: quoted-printable 46 %, base64 29 %, 8bit 25 %.
Bodies: about half of the words are real business words, the rest a Zipf-distributed lexicon of
24,000 made-up inflected words per language, so an index sees a long vocabulary tail.
"""
import argparse, base64, binascii, hashlib, itertools, json, os, random, statistics, time
from email.utils import formatdate

LEX = {
 "cs": """faktura objednávka dodávka zboží sklad smlouva zákazník dodavatel nabídka poptávka cena sleva termín platba
 splatnost účet banka převod reklamace závada oprava servis technik návštěva schůzka projekt termínování výroba díl
 součástka výkres rozměr kus balení přeprava dopravce paleta prosím děkuji dobrý den zasíláme vám přílohu potvrzujeme
 přijetí vaší zprávy můžete mi poslat novou verzi dokumentu ještě dnes nebo zítra ráno kvůli změně adresy doručení
 jsme připraveni řešit váš požadavek co nejdříve žádáme o vyjádření k uvedenému příkladu částka bez DPH celkem
 úhrada zálohová daňový doklad číslo variabilní symbol středisko vedoucí oddělení obchodní ředitel kancelář pobočka
 Brno Praha Ostrava Plzeň týden měsíc rok včera dnes zítra schválit odmítnout upravit doplnit zkontrolovat ověřit
 systém přístup heslo uživatel přihlášení chyba hlášení výpadek server síť licence aktualizace záloha data tabulka
 který která které že aby protože když jako také proto však již není bude byla bylo jsou máme nám vás jejich podle""",
 "sk": """faktúra objednávka dodávka tovar sklad zmluva zákazník dodávateľ ponuka dopyt cena zľava termín platba splatnosť
 účet banka prevod reklamácia porucha oprava servis technik návšteva stretnutie projekt výroba diel súčiastka výkres
 prosím ďakujem dobrý deň posielame vám prílohu potvrdzujeme prijatie vašej správy môžete mi poslať novú verziu ešte
 dnes alebo zajtra ráno kvôli zmene adresy doručenia žiadame o vyjadrenie suma bez DPH spolu úhrada zálohová doklad
 číslo variabilný symbol stredisko vedúci oddelenie obchodný riaditeľ kancelária pobočka Bratislava Košice Žilina
 týždeň mesiac rok včera schváliť odmietnuť upraviť doplniť skontrolovať overiť systém prístup heslo používateľ chyba
 výpadok server sieť licencia aktualizácia záloha údaje tabuľka ktorý ktorá ktoré že aby pretože keď ako tiež však
 už nie je bude bola bolo sú máme nám vás ich podľa""",
 "pl": """faktura zamówienie dostawa towar magazyn umowa klient dostawca oferta zapytanie cena rabat termin płatność konto
 bank przelew reklamacja usterka naprawa serwis technik wizyta spotkanie projekt produkcja część rysunek wymiar sztuka
 opakowanie transport przewoźnik paleta proszę dziękuję dzień dobry przesyłamy w załączniku potwierdzamy otrzymanie
 państwa wiadomości czy mogą państwo przesłać nową wersję dokumentu jeszcze dziś lub jutro rano z powodu zmiany adresu
 prosimy o odpowiedź kwota netto brutto razem zaliczka numer księgowość kierownik dział handlowy dyrektor biuro
 oddział Warszawa Kraków Łódź Gdańsk tydzień miesiąc rok wczoraj zatwierdzić odrzucić poprawić uzupełnić sprawdzić
 system dostęp hasło użytkownik błąd zgłoszenie awaria serwer sieć licencja aktualizacja kopia dane tabela który która
 które że aby ponieważ gdy jak także jednak już nie jest będzie była było są mamy nam ich według""",
 "en": """invoice order delivery goods stock contract customer supplier offer request price discount deadline payment due
 account bank transfer complaint defect repair service technician visit meeting project production part drawing size
 please thank you regards we are sending attached confirm receipt of your message could you send me the new version of
 the document today or tomorrow morning because of the change of address we kindly ask for your opinion total amount
 without VAT deposit number reference manager department sales director office branch week month year yesterday
 approve reject update complete check verify system access password user login error report outage server network
 licence backup data table which that because when also however already not will was were have our their according
 follow quarter shipment warehouse schedule budget agreement draft review signed copy original forward""",
 "de": """Rechnung Bestellung Lieferung Ware Lager Vertrag Kunde Lieferant Angebot Anfrage Preis Rabatt Termin Zahlung fällig
 Konto Bank Überweisung Reklamation Mangel Reparatur Techniker Besuch Besprechung Projekt Fertigung Teil Zeichnung Maß
 bitte danke guten Tag wir senden Ihnen im Anhang bestätigen den Eingang Ihrer Nachricht könnten Sie mir die neue
 Version des Dokuments noch heute oder morgen früh zusenden wegen der Änderung der Adresse Betrag ohne MwSt gesamt
 Anzahlung Nummer Abteilung Vertrieb Geschäftsführer Büro Niederlassung Woche Monat Jahr gestern prüfen genehmigen
 ablehnen ergänzen System Zugang Passwort Benutzer Fehler Ausfall Server Netzwerk Lizenz Sicherung Daten Tabelle der
 die das weil wenn auch jedoch schon nicht wird war waren haben unser ihr gemäß""",
}
ENDINGS = {"cs": "a e i o u y á é í ou ům ách ami ého ému ovat ený ost ství ka ek".split(),
           "sk": "a e i o u y á é ý ou om ách ami ého ému ovať ený osť stvo ka ok".split(),
           "pl": "a e i o y ą ę ego emu ów ach ami ować any ość stwo ka ek nie".split(),
           "en": "s ed ing er ly tion ment ness able al ive ous ity ism ist".split(),
           "de": "en er es em ung heit keit lich isch bar los sam nis tum chen".split()}
ONSET = {"cs": "b br č d dr ch h hl hr j k kr kl l m n ň p pr př r ř s st sk š t tr v vl z ž zd".split(),
         "sk": "b br č d ď ch h hl hr j k kr kl ľ m n ň p pr r s st sk š t ť tr v z ž dz".split(),
         "pl": "b br c cz ć d dz ch g h j k kr ł l m n ń p pr prz r rz s ś sz st t tr w z ż ź".split(),
         "en": "b bl br c cl d dr f fl g gr h j k l m n p pl pr r s sc sh sp st t tr v w wh".split(),
         "de": "b br d dr f fl g gr h j k kl l m n p pf r s sch sp st t tr v w z zw".split()}
NUCL = {"cs": "a e i o u y á é ě í ů".split(), "sk": "a e i o u y á é ä ô ia".split(), "pl": "a e i o u y ą ę ó ie ia".split(),
        "en": "a e i o u ea ou ai ee oo".split(), "de": "a e i o u ä ö ü ei au ie".split()}
FIRST = {"cs": "Jan Petr Tomáš Jiří Zdeněk Lukáš Řehoř Eva Jana Kateřina Šárka Žaneta Lenka Věra".split(),
         "sk": "Ján Peter Ľuboš Marek Jozef Štefan Zuzana Mária Katarína Ľudmila Iveta".split(),
         "pl": "Jan Paweł Łukasz Michał Grzegorz Wojciech Agnieszka Małgorzata Żaneta Elżbieta".split(),
         "en": "John Mary Paul Susan Mark Laura Peter Anne James Helen".split(),
         "de": "Hans Jürgen Käthe Björn Uwe Sabine Günther Anja".split()}
LAST = {"cs": "Novák Svoboda Dvořák Černý Procházka Kučera Veselý Krejčí Říha Šimek Žák".split(),
        "sk": "Horváth Kováč Varga Tóth Nagy Baláž Molnár Ďurica Šimko Ľupták".split(),
        "pl": "Nowak Kowalski Wiśniewski Wójcik Kamiński Zieliński Szymański Woźniak Dąbrowski Łuczak".split(),
        "en": "Smith Jones Brown Taylor Wilson Evans Walker Wright".split(),
        "de": "Müller Schröder Schäfer Krüger Köhler Weiß Jäger".split()}
REPLY = {"cs": "Re: ", "sk": "Re: ", "pl": "Odp: ", "en": "RE: ", "de": "AW: "}
ATTR = {"cs": "Dne {d} {n} napsal(a):", "sk": "Dňa {d} {n} napísal(a):", "pl": "W dniu {d} {n} pisze:",
        "en": "On {d}, {n} wrote:", "de": "Am {d} schrieb {n}:"}
GREET = {"cs": "Dobrý den,", "sk": "Dobrý deň,", "pl": "Dzień dobry,", "en": "Hello,", "de": "Guten Tag,"}
BYE = {"cs": "S pozdravem", "sk": "S pozdravom", "pl": "Z poważaniem", "en": "Best regards", "de": "Mit freundlichen Grüßen"}
DISC = {"cs": "Tato zpráva a její přílohy jsou důvěrné a určené pouze adresátovi. Společnost vylučuje uzavření smlouvy e-mailem.",
        "sk": "Táto správa a jej prílohy sú dôverné a určené výhradne adresátovi.",
        "pl": "Ta wiadomość jest poufna i przeznaczona wyłącznie dla adresata. Rozważ wpływ na środowisko przed wydrukiem.",
        "en": "This message and its attachments are confidential and intended for the addressee only.",
        "de": "Diese Nachricht ist vertraulich und ausschließlich für den Empfänger bestimmt."}
LEGACY = {"cs": ["windows-1250", "iso-8859-2"], "sk": ["windows-1250", "iso-8859-2"], "pl": ["iso-8859-2", "windows-1250"],
          "en": ["us-ascii"], "de": ["iso-8859-1"]}
US = [("obchod@firma.example", "Obchod FIRMA"), ("podpora@firma.example", "Podpora FIRMA"), ("faktury@firma.example", "Účtárna FIRMA"),
      ("reklamace@firma.example", "Reklamace FIRMA")]


class Words:
    """Zipf-weighted vocabulary of one language."""
    def __init__(self, rng, lang):
        real = LEX[lang].split()
        made, seen = [], set(real)
        while len(made) < 24000:
            w = "".join(rng.choice(ONSET[lang]) + rng.choice(NUCL[lang]) for _ in range(rng.randint(1, 3))) + rng.choice(ENDINGS[lang])
            if w not in seen:
                seen.add(w)
                made.append(w)
        self.words = real + made
        w = [1.0 / (i + 8) for i in range(len(real))]
        k = 1.0 / sum(w)
        m = [1.0 / (i + 60) ** 1.02 for i in range(len(made))]
        k2 = 0.9 / sum(m)
        self.cum = list(itertools.accumulate([x * k for x in w] + [x * k2 for x in m]))
        self.rng = rng

    def take(self, n):
        return self.rng.choices(self.words, cum_weights=self.cum, k=n)

    def sentence(self):
        w = self.take(self.rng.randint(5, 18))
        w[0] = w[0][:1].upper() + w[0][1:]
        return " ".join(w) + self.rng.choice("....?!")

    def para(self, lo=2, hi=5):
        return " ".join(self.sentence() for _ in range(self.rng.randint(lo, hi)))


def wrap(text, width=74):
    out, line = [], ""
    for w in text.split(" "):
        if len(line) + 1 + len(w) > width:
            out.append(line)
            line = w
        else:
            line = line + " " + w if line else w
    out.append(line)
    return out


def enc_word(s, cs):
    """RFC 2047 for one header value, folded."""
    try:
        s.encode("ascii")
        return s
    except UnicodeEncodeError:
        pass
    out, cur = [], ""
    for ch in s:
        if len((cur + ch).encode(cs, "replace")) > 40:
            out.append(cur)
            cur = ""
        cur += ch
    out.append(cur)
    return "\n ".join("=?%s?B?%s?=" % (cs, base64.b64encode(p.encode(cs, "replace")).decode()) for p in out)


def b64lines(data):
    return base64.encodebytes(data)


def qp(data):
    return binascii.b2a_qp(data, istext=True)


class Gen:
    def __init__(self, seed, count, large):
        self.rng = r = random.Random(seed)
        self.large, self.count = large, count
        self.vocab = {l: Words(r, l) for l in LEX}
        self.now = 1640995200 + 8 * 3600
        self.step = max(1, int(4 * 365 * 86400 / count))
        self.seq = 0
        ncomp = max(80, count // 50)
        self.people = []
        for c in range(ncomp):
            lang = self.lang()
            dom = "%s%d.example" % ("".join(r.choice("bcdfghjklmnprstvz") + r.choice("aeiou") for _ in range(3)), c)
            for _ in range(r.randint(1, 5)):
                f, l = r.choice(FIRST[lang]), r.choice(LAST[lang])
                loc = ascii_fold(f + "." + l).lower() + (str(r.randint(1, 99)) if r.random() < .2 else "")
                self.people.append((loc + "@" + dom, f + " " + l, lang, "%s %s" % (dom.split(".")[0].capitalize(), r.choice(["s.r.o.", "a.s.", "Sp. z o.o.", "GmbH", "Ltd."]))))
        self.open = []
        self.recent = []
        self.blobs = []
        if not large:
            for i in range(max(40, count // 60)):
                n = int(20000 * (100 ** r.random()))
                ext, ct = r.choices([("pdf", "application/pdf"), ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
                                     ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"), ("jpg", "image/jpeg"), ("zip", "application/zip")],
                                    [62, 12, 10, 12, 4])[0]
                raw = self.blob(n, ext)
                base = r.choice(["Faktura", "Objednávka", "Nabídka", "Smlouva", "Zamówienie", "Výkres", "Rechnung", "Dodací list", "scan"])
                self.blobs.append(("%s_%d.%s" % (base, r.randint(10000, 99999), ext), ct, b64lines(raw)))
            self.blobcum = list(itertools.accumulate(1.0 / (i + 5) for i in range(len(self.blobs))))
            self.logos = [b64lines(b"\x89PNG\r\n\x1a\n" + r.randbytes(r.randint(3000, 15000))) for _ in range(40)]

    def blob(self, n, ext):
        r = self.rng
        if ext == "pdf":
            out = [b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"]
            size, i = 0, 1
            while size < n:
                k = min(n - size, r.randint(2000, 60000))
                out.append(b"%d 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % (i, k) + r.randbytes(k) + b"\nendstream\nendobj\n")
                size += k
                i += 1
            out.append(b"trailer\n<< /Size %d /Root 1 0 R >>\n%%%%EOF\n" % i)
            return b"".join(out)
        return {"jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"}.get(ext, b"PK\x03\x04") + r.randbytes(n)

    def lang(self):
        return self.rng.choices(["cs", "sk", "pl", "en", "de"], [46, 14, 18, 18, 4])[0]

    def charset(self, lang):
        return "utf-8" if self.rng.random() < .72 else self.rng.choice(LEGACY[lang])

    def msgid(self, dom):
        self.seq += 1
        return "<%x.%d.%s@%s>" % (self.now, self.seq, "%08x" % self.rng.getrandbits(32), dom)

    def hdr(self, frm, to, subj, cs, mid=None, extra=(), irt=None, refs=None, cc=None):
        r = self.rng
        fa, fn = frm[0], frm[1]
        dom = fa.split("@")[1]
        ip = "%d.%d.%d.%d" % (r.randint(11, 220), r.randint(0, 255), r.randint(0, 255), r.randint(1, 254))
        d = formatdate(self.now)
        h = ["Return-Path: <%s>" % fa, "Delivered-To: %s" % to[0],
             "Received: from mx%d.firma.example ([10.0.0.%d])\n\tby store.firma.example (Postfix) with ESMTPS id %012X\n\tfor <%s>; %s" % (r.randint(1, 3), r.randint(2, 250), r.getrandbits(48), to[0], d),
             "Received: from mail.%s (mail.%s [%s])\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n\tby mx1.firma.example (Postfix) with ESMTPS id %010X; %s" % (dom, dom, ip, r.getrandbits(40), d)]
        if r.random() < .6:
            h.append("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=sel%d;\n\th=from:to:subject:date:message-id; bh=%s;\n\tb=%s" % (
                dom, r.randint(1, 9), base64.b64encode(r.randbytes(32)).decode(), "\n\t ".join(base64.b64encode(r.randbytes(48)).decode() for _ in range(4))))
        if r.random() < .5:
            h.append("Authentication-Results: mx1.firma.example; dkim=pass header.d=%s;\n\tspf=pass smtp.mailfrom=%s; dmarc=pass" % (dom, fa))
        if mid:
            h.append("Message-ID: " + mid)
        h += ["Date: " + d, "From: %s <%s>" % (enc_word(fn, cs), fa), "To: %s <%s>" % (enc_word(to[1], cs), to[0])]
        if cc:
            h.append("Cc: " + ",\n\t".join("%s <%s>" % (enc_word(c[1], cs), c[0]) for c in cc))
        h.append("Subject: " + enc_word(subj, cs))
        if irt:
            h.append("In-Reply-To: " + irt)
        if refs:
            h.append("References: " + "\n\t".join(refs))
        h.append("MIME-Version: 1.0")
        if r.random() < .7:
            h.append("X-Mailer: " + r.choice(["Microsoft Outlook 16.0", "Apple Mail (2.3696)", "Roundcube Webmail/1.6", "Zimbra 8.8", "eM Client 9"]))
        h.extend(extra)
        return ("\n".join(h)).encode("ascii", "replace")

    def text_part(self, text, cs, subtype="plain"):
        r = self.rng
        data = text.encode(cs, "replace")
        x = r.random()
        if cs == "us-ascii" and max(map(len, text.split("\n")), default=0) < 900:
            cte, body = "7bit", data
        elif x < .46:
            cte, body = "quoted-printable", qp(data)
        elif x < .75:
            cte, body = "base64", b64lines(data)
        elif max(map(len, data.split(b"\n")), default=0) < 900:
            cte, body = "8bit", data
        else:
            cte, body = "quoted-printable", qp(data)
        if not body.endswith(b"\n"):
            body += b"\n"
        return ('Content-Type: text/%s; charset="%s"\nContent-Transfer-Encoding: %s' % (subtype, cs, cte)).encode(), body

    def multi(self, kind, parts, params=""):
        b = "----=_%s_%016x" % (self.rng.choice(["NextPart", "Part", "Alt"]), self.rng.getrandbits(64))
        out = []
        for h, body in parts:
            out.append(b"--" + b.encode() + b"\n" + h + b"\n\n" + body)
            if not body.endswith(b"\n"):
                out.append(b"\n")
        out.append(b"--" + b.encode() + b"--\n")
        return ('Content-Type: multipart/%s;%s\n\tboundary="%s"' % (kind, params, b)).encode(), b"".join(out)

    def html(self, text, heavy=0):
        r = self.rng
        esc = text.replace("&", "&amp;").replace("<", "&lt;")
        ps = "\n".join("<p class=MsoNormal style='margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif'>%s<o:p></o:p></p>" % l for l in esc.split("\n"))
        style = "<style>p.MsoNormal{margin:0cm;font-size:11.0pt;font-family:Calibri} a:link{color:#0563C1;text-decoration:underline} @page WordSection1{size:612.0pt 792.0pt;margin:70.85pt}</style>"
        rows = "".join("<table width=600 cellpadding=0 cellspacing=0 border=0 style='border-collapse:collapse;background:#%06x'><tr><td style='padding:12px 24px;font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:20px;color:#333333'>"
                       "<a href='https://click.news.example/c/%x/%x?u=%x' style='color:#0a66c2'><img src='https://img.news.example/%x.jpg' width=552 height=%d alt=''></a></td></tr></table>\n" % (
                           r.getrandbits(24), r.getrandbits(64), r.getrandbits(64), r.getrandbits(96), r.getrandbits(64), r.randint(80, 400)) for _ in range(heavy))
        return "<html xmlns:o=\"urn:schemas-microsoft-com:office:office\"><head><meta http-equiv=Content-Type content=\"text/html\">%s</head>\n<body lang=CS>\n%s%s\n</body></html>\n" % (style, rows, ps)

    def sig(self, p, lang):
        r = self.rng
        s = "\n%s\n%s\n%s\ntel. +420 %d\nwww.%s" % (BYE[lang], p[1], p[3] if len(p) > 3 else "FIRMA s.r.o.", r.randint(600000000, 799999999), p[0].split("@")[1])
        if r.random() < .35:
            s += "\n\n" + "\n".join(wrap(DISC[lang]))
        return s

    def body(self, lang, lo=1, hi=4):
        v, r = self.vocab[lang], self.rng
        ps = ["\n".join(wrap(v.para(1, 4))) for _ in range(r.randint(lo, hi))]
        if r.random() < .25:
            ps.append("OBJ-%d-%06d / VS %d / %s" % (2022 + r.randint(0, 3), r.randint(1, 999999), r.randint(10**9, 10**10 - 1), r.choice(["CZK", "EUR", "PLN"])) + " %d,%02d" % (r.randint(100, 99999), r.randint(0, 99)))
        return GREET[lang] + "\n\n" + "\n\n".join(ps)

    def convo(self, attach=False, inline=False, single=False):
        r = self.rng
        reply = self.open and not single and r.random() < .72
        if reply:
            i = len(self.open) - 1 - min(int(r.expovariate(1 / 60.0)), len(self.open) - 1)
            t = self.open[i]
        else:
            p = r.choice(self.people)
            lang = p[2]
            t = {"p": p, "us": r.choice(US), "lang": lang, "refs": [], "last": "", "lastby": p,
                 "subj": " ".join(self.vocab[lang].take(r.randint(2, 6))).capitalize() + ("" if r.random() < .6 else " č. %d" % r.randint(1000, 99999)), "cs": self.charset(lang)}
        lang, cs = t["lang"], t["cs"]
        ours = bool(t["refs"]) and t["lastby"] is t["p"] and r.random() < .75
        frm, to = (t["us"], t["p"]) if ours else (t["p"], t["us"])
        txt = self.body(lang, 1, 2 if single or self.large else 4) + "\n" + self.sig(frm, lang)
        if t["last"]:
            q = t["last"].split("\n")[:30 if self.large else 90]
            txt += "\n\n" + ATTR[lang].format(d=formatdate(self.now - r.randint(600, 400000))[5:22], n=t["lastby"][1]) + "\n" + "\n".join("> " + l for l in q)
        mid = self.msgid(frm[0].split("@")[1]) if r.random() > .005 else None
        refs = t["refs"][:1] + t["refs"][1:][-9:]
        cc = [r.choice(self.people)[:2] for _ in range(r.randint(1, 3))] if r.random() < .2 else None
        subj = (REPLY[lang] if refs and not t["subj"].startswith(REPLY[lang]) else "") + t["subj"]
        h = self.hdr(frm, to, subj, cs, mid, irt=refs[-1] if refs else None, refs=refs or None, cc=cc)
        plain = self.text_part(txt + "\n", cs)
        if r.random() < (.25 if self.large else .62) or inline:
            html = self.text_part(self.html(txt), cs, "html")
            if inline:
                lg = r.choice(self.logos)
                html = self.multi("related", [html, (b"Content-Type: image/png; name=\"image001.png\"\nContent-Transfer-Encoding: base64\nContent-ID: <image001.png@01D9>\nContent-Disposition: inline; filename=\"image001.png\"", lg)], ' type="text/html";')
            part = self.multi("alternative", [plain, html])
        else:
            part = plain
        if attach:
            parts = [part]
            for _ in range(r.choices([1, 2, 3], [75, 18, 7])[0]):
                name, ct, data = self.blobs[r.choices(range(len(self.blobs)), cum_weights=self.blobcum)[0]]
                if name.isascii():
                    fn = 'filename="%s"' % name
                elif r.random() < .5:
                    fn = "filename*=utf-8''" + "".join(c if c.isascii() and c.isalnum() or c in "._-" else "".join("%%%02X" % x for x in c.encode()) for c in name)
                else:
                    fn = 'filename="%s"' % enc_word(name, "utf-8").replace("\n", "")
                parts.append((('Content-Type: %s; name="%s"\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; %s' % (ct, enc_word(name, cs).replace("\n", ""), fn)).encode(), data))
            part = self.multi("mixed", parts)
        msg = h + b"\n" + part[0] + b"\n\n" + part[1]
        if mid and not single:
            t["refs"].append(mid)
            t["last"], t["lastby"] = txt, frm
            if not reply:
                self.open.append(t)
                if len(self.open) > 1500:
                    del self.open[:200]
        return msg, mid

    def news(self):
        r, p = self.rng, self.rng.choice(self.people[:400])
        lang, dom = p[2], "news." + p[0].split("@")[1]
        cs = self.charset(lang)
        v = self.vocab[lang]
        txt = "\n\n".join(v.para(2, 5) for _ in range(r.randint(1, 3) if self.large else r.randint(4, 14)))
        heavy = 2 if self.large else r.randint(8, 70)
        mid = self.msgid(dom)
        h = self.hdr(("news@" + dom, p[3]), r.choice(US), v.sentence()[:90], cs, mid, extra=["List-Id: <news.%s>" % dom, "List-Unsubscribe: <https://%s/u/%x>, <mailto:unsub@%s>" % (dom, r.getrandbits(128), dom),
                                                                                         "List-Unsubscribe-Post: List-Unsubscribe=One-Click", "Precedence: bulk", "Feedback-ID: %d:camp:mailer" % r.getrandbits(32)])
        part = self.multi("alternative", [self.text_part(txt + "\n", cs), self.text_part(self.html(txt, heavy), cs, "html")])
        return h + b"\n" + part[0] + b"\n\n" + part[1], mid

    def notify(self):
        r, p = self.rng, self.rng.choice(self.people[:300])
        lang, dom = p[2], p[0].split("@")[1]
        cs, v = self.charset(lang), self.vocab[p[2]]
        no = r.randint(100000, 9999999)
        items = "\n".join("%2d  %-38s %4d ks  %10.2f" % (i + 1, " ".join(v.take(3))[:38], r.randint(1, 200), r.random() * 9000) for i in range(r.randint(1, 4 if self.large else 18)))
        txt = "%s\n\n%s %d\n\n%s\n\n%s\n%s" % (GREET[lang], v.take(1)[0].capitalize(), no, items, v.para(1, 3), "https://portal.%s/o/%d" % (dom, no))
        mid = self.msgid(dom)
        h = self.hdr(("noreply@" + dom, p[3]), r.choice(US), "[%s] %s #%d" % (dom.split(".")[0], " ".join(v.take(2)), no), cs, mid, extra=["Auto-Submitted: auto-generated", "X-Auto-Response-Suppress: All"])
        if r.random() < .5 and not self.large:
            part = self.multi("alternative", [self.text_part(txt + "\n", cs), self.text_part(self.html(txt, r.randint(0, 4)), cs, "html")])
        else:
            part = self.text_part(txt + "\n", cs)
        return h + b"\n" + part[0] + b"\n\n" + part[1], mid

    def auto(self):
        p = self.rng.choice(self.people)
        lang = p[2]
        cs = self.charset(lang)
        mid = self.msgid(p[0].split("@")[1])
        h = self.hdr(p, self.rng.choice(US), "Automatická odpověď: " + self.vocab[lang].sentence()[:50], cs, mid, extra=["Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All", "Precedence: auto_reply"])
        part = self.text_part(self.vocab[lang].para(1, 3) + self.sig(p, lang) + "\n", cs)
        return h + b"\n" + part[0] + b"\n\n" + part[1], mid

    def bounce(self):
        r, p = self.rng, self.rng.choice(self.people)
        mid = self.msgid("mx1.firma.example")
        us = r.choice(US)
        orig = self.hdr(us, p, self.vocab[p[2]].sentence()[:60], "utf-8", self.msgid("firma.example"))
        h = self.hdr(("MAILER-DAEMON@mx1.firma.example", "Mail Delivery System"), us, "Undelivered Mail Returned to Sender", "us-ascii", mid, extra=["Auto-Submitted: auto-replied"])
        code = r.choice(["5.1.1", "5.2.2", "5.7.1", "4.4.1"])
        part = self.multi("report", [
            (b"Content-Type: text/plain; charset=us-ascii", ("This is the mail system at host mx1.firma.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n<%s>: host mail.%s said: 550 %s User unknown\n" % (p[0], p[0].split("@")[1], code)).encode()),
            (b"Content-Type: message/delivery-status", ("Reporting-MTA: dns; mx1.firma.example\nArrival-Date: %s\n\nFinal-Recipient: rfc822; %s\nAction: failed\nStatus: %s\nRemote-MTA: dns; mail.%s\nDiagnostic-Code: smtp; 550 %s User unknown\n" % (formatdate(self.now), p[0], code, p[0].split("@")[1], code)).encode()),
            (b"Content-Type: text/rfc822-headers", orig + b"\n")], " report-type=delivery-status;")
        return h + b"\n" + part[0] + b"\n\n" + part[1], mid

    def invite(self):
        r, p = self.rng, self.rng.choice(self.people)
        lang, us = p[2], r.choice(US)
        cs = "utf-8"
        mid = self.msgid(p[0].split("@")[1])
        subj = " ".join(self.vocab[lang].take(4))
        st = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now + r.randint(1, 20) * 86400))
        ics = "BEGIN:VCALENDAR\nPRODID:-//X//X//EN\nVERSION:2.0\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:%x\nDTSTAMP:%s\nDTSTART:%s\nDURATION:PT1H\nSUMMARY:%s\nORGANIZER:mailto:%s\nATTENDEE;RSVP=TRUE:mailto:%s\nEND:VEVENT\nEND:VCALENDAR\n" % (r.getrandbits(128), st, st, subj, p[0], us[0])
        h = self.hdr(p, us, subj, cs, mid)
        part = self.multi("alternative", [self.text_part(self.body(lang, 1, 1) + "\n", cs), (b'Content-Type: text/calendar; charset="utf-8"; method=REQUEST\nContent-Transfer-Encoding: base64', b64lines(ics.encode()))])
        return h + b"\n" + part[0] + b"\n\n" + part[1], mid

    def dup(self):
        msg, mid = self.rng.choice(self.recent)
        return b"Return-Path: <list-bounces@firma.example>\nReceived: from list.firma.example ([10.0.0.9])\n\tby store.firma.example with LMTP id %012X; %s\nX-Original-To: vsichni@firma.example\n" % (self.rng.getrandbits(48), formatdate(self.now).encode()) + msg.split(b"\n", 1)[1], mid

    def one(self):
        r = self.rng
        self.now += int(r.expovariate(1.0 / self.step)) + 1
        kinds = ["thread", "plain", "attach", "news", "notify", "inline", "auto", "bounce", "invite", "dup"]
        k = r.choices(kinds, [47, 14, 0, 12, 18, 0, 3, 3, 3, 0] if self.large else [45.4, 10, 7.6, 13, 14, 3, 2, 2, 2, 1])[0]
        if k == "dup" and not self.recent:
            k = "thread"
        m, mid = {"thread": self.convo, "plain": lambda: self.convo(single=True), "attach": lambda: self.convo(attach=True), "inline": lambda: self.convo(inline=True),
                  "news": self.news, "notify": self.notify, "auto": self.auto, "bounce": self.bounce, "invite": self.invite, "dup": self.dup}[k]()
        if not self.large and k != "dup":
            self.recent.append((m, mid))
            if len(self.recent) > 60:
                self.recent.pop(0)
        return k, m, mid


def ascii_fold(s):
    import unicodedata
    s = s.replace("ł", "l").replace("Ł", "L").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", s) if c.isascii())


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--set", choices=["small", "medium", "large"], default="small")
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--count", type=int)
    ap.add_argument("--stats-only", action="store_true")
    a = ap.parse_args()
    n = a.count or {"small": 2000, "medium": 20000, "large": 200000}[a.set]
    g = Gen(a.seed, n, a.set == "large")
    pick = random.Random(a.seed + 2)
    md = os.path.join(a.out, "Maildir")
    if not a.stats_only:
        for s in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(md, s), exist_ok=True)
        man = open(os.path.join(a.out, "manifest.tsv"), "w")
    sizes, kinds, total = [], {}, hashlib.sha256()
    for i in range(n):
        k, m, mid = g.one()
        s, w = len(m), len(m) + m.count(b"\n")
        sizes.append(w)
        c = kinds.setdefault(k, [0, 0])
        c[0] += 1
        c[1] += w
        h = hashlib.sha256(m).hexdigest()
        total.update(h.encode())
        if not a.stats_only:
            name = "%d.M%06dP1.corpus,S=%d,W=%d:2,%s" % (g.now, i, s, w, "S" if pick.random() < .8 else "")
            p = os.path.join(md, "cur", name)
            with open(p, "wb") as f:
                f.write(m)
            os.utime(p, (g.now, g.now))
            man.write("\t".join([name, k, h, str(s), str(w), mid or ""]) + "\n")
    q = sorted(sizes)
    st = {"set": a.set, "seed": a.seed, "messages": n, "wire_bytes": sum(sizes), "mean": round(statistics.mean(sizes)), "median": q[len(q) // 2],
          "p90": q[int(len(q) * .9)], "p99": q[int(len(q) * .99)], "max": q[-1], "sha256_of_sha256s": total.hexdigest(),
          "kinds": {k: {"n": v[0], "share": round(v[0] / n, 4), "mean": round(v[1] / v[0])} for k, v in sorted(kinds.items())}}
    if not a.stats_only:
        man.close()
        json.dump(st, open(os.path.join(a.out, "stats.json"), "w"), indent=1)
    print(json.dumps(st, indent=1))


main()
