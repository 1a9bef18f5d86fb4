//! The words of quoting in the languages mail is written in.
//!
//! Tables, lower case. A word belongs here if a mail client writes it; the shapes that make a
//! match of it are in [`super::signs`].

/// What a header line of a quoted message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    From,
    Sent,
    To,
    Subject,
}

#[rustfmt::skip]
const FROM: &[&str] = &[
    "from", "od", "von", "absender", "de", "expéditeur", "da", "mittente", "van", "afzender",
    "från", "fra", "lähettäjä", "feladó", "от", "від", "remitente", "nadawca", "odesílatel",
    "odosielateľ", "kimden", "gönderen", "από", "发件人", "寄件者", "差出人", "보낸 사람",
];
#[rustfmt::skip]
const SENT: &[&str] = &[
    "sent", "sent on", "date", "datum", "gesendet", "gesendet am", "envoyé", "envoyé le",
    "envoyée", "date d'envoi", "message du", "enviado", "enviado el", "enviado em", "enviada",
    "enviada em", "enviada el", "fecha", "data", "inviato", "data invio", "verzonden",
    "verstuurd", "skickat", "sendt", "dato", "wysłano", "wysłane", "data wysłania", "odesláno",
    "odoslané", "odoslaná", "odoslať", "dátum", "dne", "dňa", "lähetetty", "päivämäärä",
    "päiväys", "elküldve", "küldve", "отправлено", "дата", "надіслано", "gönderildi", "tarih",
    "发送时间", "日期", "送信日時", "보낸 날짜",
];
#[rustfmt::skip]
const TO: &[&str] = &[
    "to", "an", "empfänger", "à", "a", "destinataire", "para", "komu", "do", "adresat", "aan",
    "till", "til", "vastaanottaja", "címzett", "кому", "pro", "per", "kime", "收件人", "宛先", "cc",
    "kopie", "kopie (cc)", "kopia", "kópia", "copie à", "copie", "copia", "dw", "kopi", "bcc",
    "reply-to", "odpovědět", "másolatot kap", "копия",
];
#[rustfmt::skip]
const SUBJECT: &[&str] = &[
    "subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "předmět",
    "predmet", "věc", "vec", "temat", "ämne", "emne", "aihe", "tárgy", "тема", "konu", "θέμα", "主题",
    "主旨", "件名", "제목",
];

/// The kind of a header line: "**From:** Ann" and the like.
pub(super) fn header_key(line: &str) -> Option<Key> {
    let line = line.trim_start_matches(|c: char| matches!(c, '*' | '_' | '|') || c.is_whitespace());
    let colon = line.char_indices().take(24).find(|(_, c)| matches!(c, ':' | '：'))?.0;
    let key = line[..colon].trim_matches(|c: char| c == '*' || c.is_whitespace()).to_lowercase();
    let is = |table: &[&str]| table.contains(&key.as_str());
    if is(FROM) {
        Some(Key::From)
    } else if is(SENT) {
        Some(Key::Sent)
    } else if is(TO) {
        Some(Key::To)
    } else if is(SUBJECT) {
        Some(Key::Subject)
    } else {
        None
    }
}

/// Verbs of writing. Endings in parentheses are cut by [`words_of`].
#[rustfmt::skip]
const WROTE: &[&str] = &[
    "wrote", "writes", "schrieb", "schreibt", "geschrieben", "écrit", "napsal", "napsala",
    "napsali", "napísal", "napísala", "píše", "napisał", "napisała", "napisana", "pisze", "escribió", "scritto",
    "scrive", "schreef", "skrev", "skrifaði", "escreveu", "kirjoitti", "írta", "ezt", "написал",
    "написала", "пишет", "пише", "scris", "yazdı", "έγραψε", "napisao", "napisala", "kirjutas",
    "rašė", "rakstīja", "wrote:", "написав", "viết", "寫道", "写道", "作成",
];

/// Words an attribution begins with.
#[rustfmt::skip]
const BEGINNINGS: &[&str] = &[
    "on", "le", "am", "dne", "dňa", "dnia", "w", "el", "il", "in", "op", "den", "em", "no", "во",
    "в", "à", "at", "um", "użytkownik", "uživatel", "používateľ", "wiadomość",
];

/// Weekdays, shortened as clients shorten them; compared by beginning.
#[rustfmt::skip]
const WEEKDAYS: &[&str] = &[
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "po ", "út ", "st ", "čt ", "pá ", "so ",
    "ne ", "ut ", "št ", "pi ", "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "ndz", "mo", "di",
    "mi", "do", "fr", "sa", "so", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "lu", "ma",
    "mie", "jue", "vie", "sáb", "dom", "gio", "sab", "maa", "tis", "ons", "tor", "fre", "lör",
    "sön", "man", "tir", "lør", "søn", "ke ", "to ", "pe ", "la ", "su ", "seg", "ter", "qua", "qui",
    "sex", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "нд", "hét", "kedd", "sze", "csü", "pén", "szo",
    "vas", "pondělí", "úterý", "středa", "čtvrtek", "pátek", "sobota", "neděle", "pondelok", "utorok",
    "streda", "štvrtok", "piatok", "nedeľa", "poniedziałek", "wtorek", "środa", "czwartek", "piątek",
    "niedziela",
];

/// Words that begin a citation without a date ("Quoting Ann <…>:").
#[rustfmt::skip]
const CITATIONS: &[&str] = &[
    "quoting", "citace", "citát", "cituji", "citácia", "cytowanie", "cytat", "cytując", "zitat von",
    "citando", "quotando", "en réponse à", "citerar", "citeren",
];

/// Lower-case words without punctuation around them.
fn words_of(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '<' | '"' | ','))
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .filter(|w| !w.is_empty())
}

pub(super) fn has_wrote(text: &str) -> bool {
    words_of(text).any(|w| WROTE.contains(&w.as_str()))
}

pub(super) fn ends_with_wrote(text: &str) -> bool {
    let text = text.trim_end_matches([':', ' ', '-']);
    // "napsal(a)" ends in an ending of its own.
    let text = text.strip_suffix("(a)").or_else(|| text.strip_suffix("(-a)")).unwrap_or(text);
    let last = text.rsplit(char::is_whitespace).next().unwrap_or("").to_lowercase();
    WROTE.contains(&last.as_str())
}

pub(super) fn begins_citation(text: &str) -> bool {
    let text = text.chars().take(24).collect::<String>().to_lowercase();
    CITATIONS.iter().any(|c| text.strip_prefix(c).is_some_and(|r| r.starts_with(char::is_whitespace)))
}

/// A word such as "On", a weekday, or a number: what attributions begin with.
pub(super) fn begins_attribution(text: &str) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    if first.is_ascii_digit() {
        return true;
    }
    let start = text.chars().take(16).collect::<String>().to_lowercase();
    let mut words = start.split(|c: char| c.is_whitespace() || c == ',' || c == '\u{a0}');
    let word = words.next().unwrap_or("");
    if BEGINNINGS.contains(&word) {
        return true;
    }
    let word = word.trim_end_matches('.');
    WEEKDAYS.iter().any(|day| match day.strip_suffix(' ') {
        Some(exact) => word == exact,
        // "mon" is "Mon", "Monday" or "mon."; a longer word is some other word.
        None => word.starts_with(day) && word.chars().count() <= 12 && word.len() >= day.len(),
    })
}

/// A year, a time of day or a numeric date.
pub(super) fn has_date(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')' | '<' | '>' | '"'))
        .any(|word| is_year(word) || is_clock(word) || is_numeric_date(word))
        || has_named_month(text)
}

fn is_year(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) && is_number(word)
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// "10:00", "9:05pm", "17.50" (also a date: 17.50 is no worse a sign).
fn is_clock(word: &str) -> bool {
    let Some((hour, rest)) = word.split_once([':', '.']) else {
        return false;
    };
    let minute = rest.get(..2).unwrap_or("");
    hour.len() <= 2 && is_number(hour) && minute.len() == 2 && is_number(minute)
}

/// "3.5.2021", "2021-05-03", "05/03/21".
fn is_numeric_date(word: &str) -> bool {
    let numbers: Vec<&str> = word.split(['.', '-', '/']).filter(|p| !p.is_empty()).collect();
    numbers.len() >= 3 && numbers.iter().take(3).all(|p| p.len() <= 4 && is_number(p))
}

/// "Dec 9": a number of one or two digits beside a word that begins like a month.
fn has_named_month(text: &str) -> bool {
    const MONTHS: &[&str] = &[
        "jan", "feb", "mar", "mär", "apr", "may", "mai", "maj", "jun", "jul", "aug", "sep", "oct", "okt",
        "nov", "dec", "dez", "led", "úno", "bře", "dub", "kvě", "čer", "srp", "zář", "říj", "lis", "pro",
        "sty", "lut", "kwi", "cze", "lip", "sie", "wrz", "paź", "gru",
    ];
    let mut before_is_day = false;
    let mut before_is_month = false;
    for word in words_of(text).take(40) {
        let is_day = word.len() <= 2 && is_number(&word);
        let is_month = MONTHS.iter().any(|m| word.starts_with(m));
        if (is_day && before_is_month) || (is_month && before_is_day) {
            return true;
        }
        (before_is_day, before_is_month) = (is_day, is_month);
    }
    false
}

/// A mail address somewhere.
pub(super) fn has_address(text: &str) -> bool {
    text.match_indices('@').any(|(i, _)| {
        let before = text[..i].chars().next_back();
        let after = text[i + 1..].chars().next();
        before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '"'))
            && after.is_some_and(char::is_alphanumeric)
    })
}

/// Words between the dashes of "-----Original Message-----".
#[rustfmt::skip]
const SEPARATORS: &[&str] = &[
    "original message", "original appointment", "forwarded message", "forwarded by", "reply message",
    "ursprüngliche nachricht", "originalnachricht", "original-nachricht", "weitergeleitete nachricht",
    "originaltermin", "původní zpráva", "původní e-mail", "původní email", "přeposlaná zpráva",
    "předaná zpráva", "pôvodná správa", "pôvodný e-mail", "preposlaná správa", "wiadomość oryginalna",
    "oryginalna wiadomość", "treść oryginalnej wiadomości", "wiadomość przekazana",
    "przekazana wiadomość", "message d'origine", "message d’origine", "message original",
    "message transféré", "message initial", "mensaje original", "mensaje reenviado",
    "messaggio originale", "messaggio inoltrato", "oorspronkelijk bericht", "doorgestuurd bericht",
    "ursprungligt meddelande", "originalmeddelande", "vidarebefordrat meddelande",
    "oprindelig meddelelse", "oprindelig besked", "opprinnelig melding", "videresendt",
    "mensagem original", "mensagem encaminhada", "alkuperäinen viesti", "välitetty viesti",
    "eredeti üzenet", "továbbított üzenet", "исходное сообщение", "пересылаемое сообщение",
    "оригинальное сообщение", "orijinal mesaj", "mesaj original", "原始邮件", "原始郵件", "元のメッセージ",
];

/// Whole lines that introduce a forwarded message (Apple Mail).
#[rustfmt::skip]
const FORWARDS: &[&str] = &[
    "begin forwarded message:", "anfang der weitergeleiteten nachricht:",
    "začátek přeposílané zprávy:", "začiatok preposlanej správy:",
    "początek przekazywanej wiadomości:", "début du message réexpédié :",
    "début du message transféré :", "inizio messaggio inoltrato:", "inicio del mensaje reenviado:",
    "begin doorgestuurd bericht:", "vidarebefordrat brev:", "início da mensagem reencaminhada:",
    "start på videresendt besked:",
];

/// Beginnings of the words that say that a message is passed on.
#[rustfmt::skip]
const PASSED_ON: &[&str] = &[
    "forward", "begin forwarded", "weitergeleitet", "anfang der weitergeleiteten", "přeposl", "předan", "začátek přepos",
    "prepos", "začiatok prepos", "przekazan", "wiadomość przekazana", "początek przekazywanej", "message transf",
    "début du message", "mensaje reenviado", "inicio del mensaje", "messaggio inoltrato", "inizio messaggio",
    "doorgestuurd", "begin doorgestuurd", "vidarebefordra", "videresendt", "mensagem encaminhada", "välitetty",
    "továbbított", "пересылаемое",
];

/// Whether a line says that what follows is passed on.
pub(super) fn is_forward(line: &str) -> bool {
    let lower = line.chars().take(100).collect::<String>().to_lowercase();
    let inside = lower.trim_matches(|c: char| !c.is_alphabetic());
    is_separator(line) && PASSED_ON.iter().any(|words| inside.starts_with(words))
}

/// Lines below which everything is the service's own text.
#[rustfmt::skip]
const REPLY_ABOVE: &[&str] = &[
    "reply above this line", "type your reply above", "write above this line",
    "odpověď pište nad tento řádek", "odpovedzte nad týmto riadkom", "odpowiedz powyżej tej linii",
    "bitte antworten sie oberhalb dieser zeile",
];

/// "-----Original Message-----", "---------- Forwarded message ---------".
pub(super) fn is_separator(line: &str) -> bool {
    if line.len() > 200 {
        return false;
    }
    let lower = line.to_lowercase();
    let dashes = lower.bytes().take_while(|b| matches!(b, b'-' | b'_' | b'=' | b'*')).count();
    let inside = lower.trim_matches(|c: char| !c.is_alphabetic());
    let named = dashes >= 2
        && inside.split_whitespace().count() <= 8
        && SEPARATORS.iter().any(|s| inside.starts_with(s));
    named || FORWARDS.contains(&lower.as_str()) || REPLY_ABOVE.iter().any(|s| lower.contains(s))
}

/// How clients sign by themselves; the program or device follows.
#[rustfmt::skip]
const MOBILE: &[&str] = &[
    "sent from my ", "sent from mail for", "sent from outlook", "sent from yahoo", "sent from gmail",
    "sent from samsung", "sent from proton", "sent via ", "sent with ", "get outlook for ",
    "sent using ", "gesendet von ", "gesendet mit ", "von meinem ", "diese nachricht wurde von mein",
    "outlook für ", "envoyé de mon ", "envoyé de mon", "envoyé depuis ", "envoyé à partir d",
    "télécharger outlook", "enviado desde ", "enviado do ", "enviado a partir d", "enviado de mi ",
    "obtener outlook", "obter o outlook", "inviato da ", "inviato dal ", "scarica outlook",
    "verzonden vanaf ", "verzonden met ", "verstuurd vanaf ", "verstuurd met ", "outlook voor ",
    "skickat från ", "hämta outlook", "sendt fra ", "hent outlook", "lähetetty ", "odesláno z ",
    "odesláno ze ", "odesláno mobilem", "odesláno pomocí ", "odesláno přes ", "odesláno aplikací ",
    "odoslané z ", "odoslané zo ", "odoslané pomocou ", "odoslané cez ", "získat outlook",
    "získajte outlook", "získať outlook", "wysłano z ", "wysłane z ", "wysłano przez ", "wysłane przez ",
    "wysłano za pomocą", "pobierz outlook", "отправлено с ", "отправлено из ", "надіслано з ",
    "enviado pelo ", "iphone-omról küldve", "odoslane z ", "odeslano z ", "wyslano z ", "wyslane z ",
];

/// "Sent from my phone": a client's line, not a sentence that begins like one.
pub(super) fn is_mobile_mark(line: &str) -> bool {
    if line.len() > 300 {
        return false;
    }
    let line = without_links(line);
    let plain = line.trim_matches(|c: char| matches!(c, '*' | '_' | '[' | ']') || c.is_whitespace());
    let lower = plain.to_lowercase();
    let count = lower.split_whitespace().count();
    let known = MOBILE.iter().any(|m| lower.starts_with(m)) || names_an_app(plain);
    let sentence = lower.contains([',', ';', '?', '!', ':']) || (lower.ends_with('.') && count > 7);
    known && count <= 9 && !sentence
}

/// "Sent from TypeApp": after "from" stands a name.
fn names_an_app(line: &str) -> bool {
    let rest = line.strip_prefix("Sent from ").unwrap_or("");
    let words: Vec<&str> = rest.split_whitespace().collect();
    let named = |w: &&str| w.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit());
    (1..=4).contains(&words.len()) && words.iter().all(|w| named(w) || w.len() <= 3) && named(&words[0])
}

/// Without `<https://…>`, which HTML-to-text converters put after linked words.
fn without_links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((_, behind)) = after.split_once('>') else {
            return out;
        };
        rest = behind;
    }
    out.push_str(rest);
    out
}

pub(super) fn is_list_footer(line: &str) -> bool {
    let lower = line.chars().take(200).collect::<String>().to_lowercase();
    ["mailing list", "listinfo", "mailman", "unsubscribe", "googlegroups.com", "odhlásit"]
        .iter()
        .any(|w| lower.contains(w))
}

/// "P. S.": something the writer added below the signature.
pub(super) fn is_postscript(line: &str) -> bool {
    let start: String = line.chars().take(6).filter(|c| !c.is_whitespace()).collect();
    let start = start.to_lowercase();
    ["p.s", "ps.", "ps:", "ps-", "ps,"].iter().any(|p| start.starts_with(p))
}
