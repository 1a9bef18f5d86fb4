//! Conversations in Polish.

use super::super::company::Mailbox::{Ben, Carla, Helpdesk, Orders, Press};
use super::{Brings, Script};

pub const SCRIPTS: &[Script] = &[
    Script {
        with: Helpdesk,
        subject: "Regał {model} – brakujące śruby",
        brings: Brings::Photo,
        turns: &[
            "w paczce z regałem {model} brakowało woreczka ze śrubami, na zdjęciu widać, że opakowanie było puste. Czy mogą Państwo dosłać komplet?",
            "oczywiście, komplet śrub wysyłamy jeszcze dziś listem priorytetowym. Przepraszamy za kłopot.",
            "śruby dotarły, regał już stoi. Dziękuję za szybką reakcję.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Reklamacja zamówienia {order}",
        brings: Brings::Photo,
        turns: &[
            "w zamówieniu {order} trzy szafki mają porysowane drzwi, a jedna inny odcień niż pozostałe. Prosimy o wymianę lub rabat.",
            "możemy wymienić drzwi w ciągu tygodnia albo obniżyć cenę o piętnaście procent. Która możliwość bardziej Państwu odpowiada?",
            "wybieramy wymianę drzwi, klienci widzą te szafki codziennie.",
            "przyjęliśmy. Monter przyjedzie w {day} między ósmą a dziesiątą.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Pytanie o udźwig stołu {model}",
        brings: Brings::Nothing,
        turns: &[
            "chcemy postawić na stole {model} imadło i małą prasę, razem około 300 kilogramów. Czy blat to wytrzyma?",
            "blat z buku wytrzyma do 500 kilogramów, pod warunkiem że prasa stoi nad nogą stołu, a nie pośrodku.",
            "dziękuję, tak właśnie ją ustawimy.",
        ],
    },
    Script {
        with: Helpdesk,
        subject: "Nie działa formularz zwrotu",
        brings: Brings::Nothing,
        turns: &[
            "formularz zwrotu na stronie pokazuje pusty ekran po wpisaniu numeru {order}. Próbowałem w dwóch przeglądarkach.",
            "błąd naprawiliśmy dziś rano, dotyczył numerów z bieżącego miesiąca. Proszę spróbować ponownie.",
        ],
    },
    Script {
        with: Orders,
        subject: "Zamówienie {order}",
        brings: Brings::Order,
        turns: &[
            "w załączeniu przesyłam zamówienie {order} na {count} sztuk {model}. Proszę o potwierdzenie terminu i wystawienie faktury proforma.",
            "potwierdzamy przyjęcie zamówienia {order}. Wysyłka w {day}, proformę wystawiliśmy na kwotę {amount} zł netto.",
            "proforma opłacona, potwierdzenie przelewu wysłała księgowość.",
            "wpłata zaksięgowana, towar czeka na kuriera.",
        ],
    },
    Script {
        with: Orders,
        subject: "Zapytanie ofertowe: szafy narzędziowe",
        brings: Brings::Table,
        turns: &[
            "prosimy o ofertę na szafy narzędziowe według poniższej tabeli, z dostawą do Łodzi i wniesieniem na pierwsze piętro. Budynek nie ma windy towarowej.",
            "oferta z wniesieniem wynosi {amount} zł netto. Bez windy potrzebujemy czterech osób, dlatego prosimy o rezerwację całego dnia.",
            "cały dzień nie stanowi problemu. Czy rabat przy dwóch kompletach jest możliwy?",
            "przy dwóch kompletach możemy zaproponować siedem procent.",
        ],
    },
    Script {
        with: Orders,
        subject: "Zmiana terminu dostawy {order}",
        brings: Brings::Nothing,
        turns: &[
            "magazyn będzie w tym tygodniu nieczynny z powodu inwentaryzacji. Czy dostawę {order} można przesunąć na {day}?",
            "przesunęliśmy, kierowca zadzwoni godzinę wcześniej.",
        ],
    },
    Script {
        with: Orders,
        subject: "Korekta faktury do {order}",
        brings: Brings::Nothing,
        turns: &[
            "na fakturze do {order} jest błędny NIP, brakuje ostatniej cyfry. Prosimy o korektę, bez niej nie możemy zapłacić.",
            "korekta wystawiona, przepraszamy za pomyłkę. Termin płatności liczymy od dziś.",
            "dziękujemy, przelew wyjdzie w {day}.",
        ],
    },
    Script {
        with: Press,
        subject: "Artykuł o ergonomii warsztatu",
        brings: Brings::Nothing,
        turns: &[
            "piszę artykuł o ergonomii stanowisk pracy i chciałabym zacytować Państwa konstruktora. Czy mogę przesłać pięć pytań?",
            "prosimy o przesłanie pytań, odpowie pan Emil Havel, który projektował stoły o regulowanej wysokości.",
            "pytania przesyłam poniżej, najbardziej interesuje mnie, jak mierzą Państwo zmęczenie pracowników.",
        ],
    },
    Script {
        with: Ben,
        subject: "Dystrybucja w południowej Polsce",
        brings: Brings::PriceList,
        turns: &[
            "po rozmowie w Katowicach jesteśmy zainteresowani dystrybucją serii {model} na południu Polski. Przesyłam nasz cennik usług montażowych.",
            "świetna wiadomość. Proponuję wideorozmowę w {day} o dziesiątej, przygotuję warunki dla pierwszego roku.",
            "dziesiąta pasuje. Dołączy też nasz magazynier, pani Wanda.",
        ],
    },
    Script {
        with: Carla,
        subject: "Certyfikaty do partii {order}",
        brings: Brings::Nothing,
        turns: &[
            "certyfikaty jakości do partii {order} będą gotowe w {day}; laboratorium ma opóźnienie. Towar możemy wysłać wcześniej.",
            "proszę wysłać towar, ale bez certyfikatu nie wprowadzimy go na magazyn. Liczę na ten termin.",
        ],
    },
];
