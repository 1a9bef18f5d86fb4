//! Conversations in Czech.

use super::super::company::Mailbox::{Ben, Carla, Helpdesk, Orders, Press};
use super::{Brings, Script};

pub const SCRIPTS: &[Script] = &[
    Script {
        with: Helpdesk,
        subject: "Zásuvka skříně {model} se nedovírá",
        brings: Brings::Photo,
        turns: &[
            "v pátek nám přivezli skříň {model} a spodní zásuvka se nedá dovřít. Zkoušeli jsme ji vyndat a znovu nasadit, ale pokaždé zůstane centimetr venku. Fotku přikládám.",
            "děkujeme za fotografii, moc nám pomohla. Vypadá to na pojezd ohnutý při přepravě. Pošleme vám nový, výměna zabere deset minut a návod přibalíme. Vyhovuje vám dodání do konce týdne?",
            "ano, do konce týdne to stačí. Stačí balík nechat na vrátnici.",
            "pojezd odešel dnes dopoledne, číslo zásilky vám přijde od dopravce. Kdyby cokoli nesedělo, ozvěte se.",
            "všechno sedí, zásuvka jede jako nová. Díky za rychlost!",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Reklamace objednávky {order}",
        brings: Brings::Photo,
        turns: &[
            "z objednávky {order} dorazilo {count} kusů, ale dva mají promáčklou zadní stěnu. Obal byl neporušený, takže se to muselo stát ještě u vás. Jak máme postupovat?",
            "to nás mrzí. Reklamaci jsme založili a oba kusy vyměníme na naše náklady. Pošlete nám prosím ještě štítky z boku krabic, ať poznáme, ze které směny pocházejí.",
            "štítky jsou bohužel pryč, krabice už odvezli do sběru. Výrobní čísla ale jsou i na dvířkách: 4471 a 4472.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Návod k montáži {model}",
        brings: Brings::Nothing,
        turns: &[
            "v balení {model} chyběl návod. Na webu jsem našel jen německou verzi. Mohli byste poslat českou?",
            "český návod posílám na konci této zprávy jako odkaz na stránku podpory; krok 4 prosím dělejte ve dvou lidech.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Nejde se přihlásit do zákaznického portálu",
        brings: Brings::Nothing,
        turns: &[
            "od rána se nemohu přihlásit do portálu. Píše to, že účet je zablokovaný, přitom jsem se dnes ani jednou nespletl. Potřebuji stáhnout dodací list k {order}.",
            "účet se zablokoval po pokusech z cizí adresy. Odblokovali jsme ho a dodací list posílám rovnou v příloze, abyste nečekal.",
            "už jsem uvnitř. A dá se nějak zapnout dvojí ověření?",
            "dá: v nastavení účtu zvolte Zabezpečení a naskenujte kód telefonem. Vřele doporučujeme.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Dotaz na nosnost police {model}",
        brings: Brings::Nothing,
        turns: &[
            "jakou nosnost má police {model}, když ji zavěsíme jen na dva nosníky? V katalogu je údaj pouze pro čtyři.",
            "na dvou nosnících počítejte nejvýše se 120 kilogramy rovnoměrně rozloženými. Na čtyřech je to 250.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Náhradní klíče k šatním skříňkám",
        brings: Brings::Nothing,
        turns: &[
            "po stěhování nám chybí {count} klíčů ke skříňkám {model}. Lze je dovyrobit podle čísla zámku? Seznam čísel mám připravený.",
            "lze, jeden klíč stojí 89 Kč a hotové jsou do tří dnů. Seznam nám prosím pošlete v tabulce.",
            "seznam posílám níže: 101 až 108, 115, 119 a 121. Fakturu prosím na firmu jako minule.",
        ],
    },
    Script {
        with: Orders,
        subject: "Objednávka {order}",
        brings: Brings::Order,
        turns: &[
            "v příloze posílám objednávku {order} na {count} kusů {model}. Prosíme o potvrzení termínu dodání.",
            "objednávku {order} potvrzujeme. Zboží máme skladem a vyexpedujeme ho v {day}. Fakturu dostanete e-mailem.",
            "děkuji. Prosím řidiče, ať přijede zadní branou, přední je kvůli opravě silnice zavřená.",
            "předáno dopravě, řidič má pokyn u sebe.",
        ],
    },
    Script {
        with: Orders,
        subject: "Změna dodací adresy u {order}",
        brings: Brings::Nothing,
        turns: &[
            "omlouvám se, u objednávky {order} jsme uvedli starou adresu. Správně je Na Výsluní 12, Tišnov. Stihnete to ještě změnit?",
            "stihli jsme to o vlásek, štítek je přetištěný. Dodání se tím neposune.",
        ],
    },
    Script {
        with: Orders,
        subject: "Poptávka: vybavení nové dílny",
        brings: Brings::Table,
        turns: &[
            "stavíme novou dílnu a potřebujeme ji vybavit zhruba do dvou měsíců. Předběžný seznam je v tabulce níže. Můžete nám připravit nabídku včetně montáže?",
            "moc rádi. Na nabídce děláme a budete ji mít v {day}. Jen se zeptám: je v dílně průmyslová podlaha, nebo dlažba? Podle toho zvolíme kotvení.",
            "je tam litá podlaha, zhruba deset centimetrů. Kotvit do ní smíme.",
            "výborně. Nabídka vychází na {amount} Kč bez DPH včetně montáže a platí třicet dní.",
            "děkujeme, předložím ji vedení. Očekávám, že se ozveme začátkem příštího týdne.",
        ],
    },
    Script {
        with: Orders,
        subject: "Chybí faktura k {order}",
        brings: Brings::Nothing,
        turns: &[
            "zboží z objednávky {order} je v pořádku u nás, ale fakturu jsme dosud nedostali a účetní uzavírá měsíc. Prosím o zaslání.",
            "faktura odešla na adresu ucetni@, která se vrátila jako neexistující. Posílám ji znovu přímo vám. Máme adresu v systému opravit?",
            "ano, opravte ji prosím na moji. Děkuji.",
        ],
    },
    Script {
        with: Orders,
        subject: "Storno části objednávky {order}",
        brings: Brings::Nothing,
        turns: &[
            "z objednávky {order} prosíme stornovat pět kusů {model}, zbytek platí. Investor zmenšil šatnu.",
            "pět kusů jsme odebrali, nová celková cena je {amount} Kč bez DPH. Potvrzení máte v portálu.",
        ],
    },
    Script {
        with: Press,
        subject: "Rozhovor o nové hale",
        brings: Brings::Nothing,
        turns: &[
            "připravuji článek o firmách, které letos otevřely nové provozy v kraji. Měl by někdo z vedení čas na krátký rozhovor, ideálně v {day}?",
            "rádi se zúčastníme. Jednatelka Carla Benešová má volno od desíti do jedenácti. Pošlete nám prosím okruhy otázek předem.",
            "skvělé, okruhy jsou tři: proč právě tady, kolik lidí nabíráte a co hala změní pro sousedy. Přijedu i s fotografem.",
        ],
    },
    Script {
        with: Press,
        subject: "Fotografie ve vyšším rozlišení",
        brings: Brings::Logo,
        turns: &[
            "pro tištěné vydání bychom potřebovali fotografii nové linky alespoň ve třech tisících bodech. Na webu je jen malá. Uzávěrku máme v {day}.",
            "fotografii posíláme samostatně, autorem je náš kolega Petr Holub; uveďte ho prosím v popisku.",
        ],
    },
    Script {
        with: Ben,
        subject: "Schůzka v {day}?",
        brings: Brings::Nothing,
        turns: &[
            "budeme v {day} v Brně na veletrhu. Hodilo by se ti odpoledne na kávu? Rád bych probral slevu na větší odběr {model}.",
            "výborný nápad, po třetí jsem volný. Stánek najdeš v hale D, vedle vchodu. Ceník s množstevní slevou vezmu s sebou.",
            "platí, v půl čtvrté jsem u tebe.",
        ],
    },
    Script {
        with: Ben,
        subject: "Nabídka na {count} ks {model}",
        brings: Brings::PriceList,
        turns: &[
            "díky za včerejší telefonát. Jak jsme se domluvili, prosím o nabídku na {count} kusů {model} s dopravou do Plzně. Náš současný ceník pro srovnání přikládám.",
            "nabídka: {amount} Kč bez DPH, doprava v ceně, dodání do tří týdnů. Při platbě předem ještě dvě procenta dolů.",
            "cena je v pořádku, platbu předem nám ale finanční nepodepíše. Necháme to na čtrnáct dní?",
            "domluveno, splatnost čtrnáct dní. Připravím smlouvu.",
        ],
    },
    Script {
        with: Carla,
        subject: "Nové ceny plechu od příštího měsíce",
        brings: Brings::PriceList,
        turns: &[
            "vzhledem k vývoji na trhu upravujeme od příštího měsíce ceny válcovaného plechu v průměru o čtyři procenta. Nový ceník je v příloze, rozpracované objednávky dokončíme za staré ceny.",
            "rozumím, jen bych to ráda rozložila. Pokud se zavážeme k odběru na půl roku, udržíte stávající cenu?",
            "při závazku na půl roku se umíme sejít na dvou procentech. Návrh dodatku pošlu v {day}.",
        ],
    },
    Script {
        with: Carla,
        subject: "Zpoždění dodávky {order}",
        brings: Brings::Nothing,
        turns: &[
            "musím se omluvit, dodávka {order} se o tři dny zpozdí. Na lince se nám porouchal lis a díl čeká na celnici.",
            "děkuji, že píšete hned. Tři dny zvládneme ze zásob, déle už ne. Dejte mi prosím vědět, jakmile bude díl venku.",
        ],
    },
];
