//! Conversations in Slovak.

use super::super::company::Mailbox::{Ben, Carla, Helpdesk, Orders, Press};
use super::{Brings, Script};

pub const SCRIPTS: &[Script] = &[
    Script {
        with: Helpdesk,
        subject: "Vozík {model} vŕzga",
        brings: Brings::Nothing,
        turns: &[
            "vozík {model} po mesiaci používania strašne vŕzga, najmä keď je naložený. Stačí ho premazať, alebo je to chyba?",
            "skúste, prosím, uvoľniť a znova dotiahnuť ľavé zadné koliesko; pri prvých kusoch býva pretiahnuté. Ak to nepomôže, koliesko vám vymeníme.",
            "pomohlo, vozík jazdí potichu. Ďakujem!",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Poškodený tovar z objednávky {order}",
        brings: Brings::Photo,
        turns: &[
            "kuriér dnes doručil {count} kusov {model}, jeden karton bol premočený a regál je hrdzavý. Fotografiu prikladám, protokol s kuriérom sme spísali.",
            "veľmi nás to mrzí. Protokol nám, prosím, pošlite tiež, uplatníme ho u prepravcu. Nový kus vám odošleme zajtra bez čakania na výsledok.",
            "protokol pošle kolegyňa Oľga ešte dnes poobede. Starý kus si máme nechať?",
            "nechajte si ho, vyzdvihne ho vodič pri dovoze nového.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Predĺženie záruky",
        brings: Brings::Nothing,
        turns: &[
            "dá sa na zostavu {model} dokúpiť predĺžená záruka, aj keď ju už máme pol roka? Koľko by to stálo?",
            "dá, do jedného roka od kúpy. Predĺženie na päť rokov stojí osem percent z ceny zostavy.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Zabudnuté heslo k portálu",
        brings: Brings::Nothing,
        turns: &[
            "obnovenie hesla mi neposiela žiadny e-mail, skúšala som to trikrát. V nevyžiadanej pošte nič nie je.",
            "na vašom účte bola adresa s preklepom, domáca stránka mala o jedno písmeno menej. Opravili sme ju, skúste to, prosím, ešte raz.",
        ],
    },
    Script {
        with: Orders,
        subject: "Objednávka č. {order}",
        brings: Brings::Order,
        turns: &[
            "posielam záväznú objednávku {order} na {count} kusov {model}. Dodať, prosím, na sklad v Žiline, rampa číslo dva.",
            "objednávku potvrdzujeme, dodanie v {day} dopoludnia. Vodič zavolá pol hodiny vopred.",
            "v poriadku, na rampe bude Peter.",
        ],
    },
    Script {
        with: Orders,
        subject: "Cenová ponuka na regály",
        brings: Brings::Table,
        turns: &[
            "zariaďujeme nový sklad a prosíme o cenovú ponuku podľa tabuľky. Dôležitá je pre nás nosnosť a termín, farba nerozhoduje.",
            "ponuka vychádza na {amount} € bez DPH, s montážou do dvoch týždňov od objednania. Sivú farbu máme skladom, na modrú by ste čakali.",
            "sivá je v poriadku. Ešte sa poradíme s majiteľom a ozveme sa.",
        ],
    },
    Script {
        with: Orders,
        subject: "Kedy príde {order}?",
        brings: Brings::Nothing,
        turns: &[
            "objednávka {order} mala prísť včera a stále nič. Môžete zistiť, kde je?",
            "zásielka stojí v depe v Trenčíne, triedenie sa tam zdržalo. Doručia ju zajtra do obeda, overila som to telefonicky.",
            "prišla, všetko sedí. Ďakujem za overenie.",
        ],
    },
    Script {
        with: Orders,
        subject: "Zmena fakturačných údajov",
        brings: Brings::Nothing,
        turns: &[
            "od prvého sa mení naše sídlo na Krátku 7, Martin. Prosím, upravte to na faktúrach, IČO ostáva.",
            "hotovo, zmena platí už pre faktúru k {order}.",
        ],
    },
    Script {
        with: Press,
        subject: "Vyjadrenie k rozšíreniu výroby",
        brings: Brings::Nothing,
        turns: &[
            "pripravujeme správu o rozšírení vašej výroby na slovenskú stranu hranice. Viete potvrdiť, že pôjde o osemdesiat miest? Vyjadrenie potrebujeme najneskôr v {day} do dvanástej.",
            "potvrdzujeme: osemdesiat miest v priebehu dvoch rokov, prvých dvadsať na jar. Citovať môžete našu hovorkyňu Gitu Sýkorovú.",
        ],
    },
    Script {
        with: Ben,
        subject: "Vzorky pre showroom",
        brings: Brings::Nothing,
        turns: &[
            "ako sme hovorili na výstave, radi by sme vo vzorkovni ukázali {model}. Požičiate nám jeden kus na tri mesiace?",
            "požičiame, a rovno aj s osvetlením. Napíš mi, či stačí v {day}, auto ide okolo vás.",
            "v {day} sme tu do štvrtej, vyloží to Norbert. Vďaka!",
        ],
    },
    Script {
        with: Carla,
        subject: "Skrutky M8: výpadok skladu",
        brings: Brings::Nothing,
        turns: &[
            "pozinkované skrutky M8 nám výrobca potvrdil až o dva týždne. Nerezové máme hneď, o šesť percent drahšie. Môžeme ich poslať namiesto nich?",
            "pošlite polovicu v nereze za starú cenu a zvyšok počká, dobre?",
            "dohodnuté, balíme to dnes.",
        ],
    },
];
