//! Acme, a maker of workshop furniture, and whom it writes with. All of it is made up.

use super::random::Random;

/// A language mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// cs
    Czech,
    /// sk
    Slovak,
    /// pl
    Polish,
    /// en
    English,
}

/// Acme's mailboxes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// Faults and questions.
    Helpdesk,
    /// Orders, parcels, invoices.
    Orders,
    /// Journalists.
    Press,
    /// A person: sells.
    Ben,
    /// A person: runs the company and buys.
    Carla,
}

impl Mailbox {
    /// All of them.
    pub const ALL: [Mailbox; 5] =
        [Mailbox::Helpdesk, Mailbox::Orders, Mailbox::Press, Mailbox::Ben, Mailbox::Carla];

    /// Its address, which is also the user name at the mail server.
    pub fn address(self) -> &'static str {
        match self {
            Mailbox::Helpdesk => "helpdesk@acme.example",
            Mailbox::Orders => "orders@acme.example",
            Mailbox::Press => "press@acme.example",
            Mailbox::Ben => "ben@acme.example",
            Mailbox::Carla => "carla@acme.example",
        }
    }

    /// The name it writes under.
    pub fn name(self) -> &'static str {
        match self {
            Mailbox::Helpdesk => "Acme Helpdesk",
            Mailbox::Orders => "Acme Orders",
            Mailbox::Press => "Acme Press",
            Mailbox::Ben => "Ben Krejčí",
            Mailbox::Carla => "Carla Benešová",
        }
    }

    /// The area of work and the team of a group mailbox; nothing for a person's.
    pub fn process_and_team(self) -> Option<(&'static str, &'static str)> {
        match self {
            Mailbox::Helpdesk => Some(("Helpdesk", "Support")),
            Mailbox::Orders => Some(("Orders", "Sales")),
            Mailbox::Press => Some(("Press", "Press office")),
            Mailbox::Ben | Mailbox::Carla => None,
        }
    }

    /// Who signs what goes out from here.
    pub fn writer(self) -> &'static str {
        match self {
            Mailbox::Helpdesk => "Dana Marková",
            Mailbox::Orders => "Emil Havel",
            Mailbox::Press => "Gita Sýkorová",
            Mailbox::Ben => "Ben Krejčí",
            Mailbox::Carla => "Carla Benešová",
        }
    }
}

/// A company that Acme writes with.
#[derive(Debug)]
pub struct Company {
    /// Its name.
    pub name: &'static str,
    /// The domain of its addresses.
    pub domain: &'static str,
    /// What its people write in.
    pub language: Language,
    /// What it is to Acme.
    pub role: Role,
    /// The local parts and names of its people.
    pub people: &'static [(&'static str, &'static str)],
    /// Where it is.
    pub city: &'static str,
}

/// What a company is to Acme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Buys.
    Customer,
    /// Sells.
    Supplier,
    /// Asks.
    Press,
    /// Writes, but is in no record yet.
    Unknown,
}

/// Somebody who writes.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Their company.
    pub company: &'static Company,
    /// Their name.
    pub name: &'static str,
    /// The part of their address before the `@`.
    pub local: &'static str,
}

impl Person {
    /// Their address.
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.company.domain)
    }
}

/// Somebody of a language who would write to this mailbox.
pub fn writer_to(mailbox: Mailbox, language: Language, random: &mut Random) -> Person {
    let fits = |company: &&Company| {
        company.language == language
            && match mailbox {
                Mailbox::Press => company.role == Role::Press,
                Mailbox::Carla => company.role == Role::Supplier,
                _ => matches!(company.role, Role::Customer | Role::Unknown),
            }
    };
    let fitting: Vec<_> = COMPANIES.iter().filter(fits).collect();
    let company = random.one_of(&fitting);
    let (local, name) = random.one_of(company.people);
    Person { company, name, local }
}

/// Everybody Acme writes with.
pub const COMPANIES: &[Company] = &[
    Company {
        name: "Dílny Kolář, s.r.o.",
        domain: "dilny-kolar.example",
        language: Language::Czech,
        role: Role::Customer,
        people: &[("ann", "Ann Nováková"), ("david", "David Kolář")],
        city: "Tišnov",
    },
    Company {
        name: "Pivovar Hradná",
        domain: "pivovar-hradna.example",
        language: Language::Czech,
        role: Role::Customer,
        people: &[("eva", "Eva Dvořáková"), ("filip", "Filip Procházka")],
        city: "Plzeň",
    },
    Company {
        name: "Autoservis Veselý",
        domain: "autoservis-vesely.example",
        language: Language::Czech,
        role: Role::Customer,
        people: &[("hugo", "Hugo Veselý")],
        city: "Olomouc",
    },
    Company {
        name: "Nemocnice Říčná",
        domain: "nemocnice-ricna.example",
        language: Language::Czech,
        role: Role::Customer,
        people: &[("irena", "Irena Křížová"), ("jakub", "Jakub Šťastný")],
        city: "Přerov",
    },
    Company {
        name: "Strojírny Žďárek, a.s.",
        domain: "strojirny-zdarek.example",
        language: Language::Czech,
        role: Role::Customer,
        people: &[("klara", "Klára Žáková"), ("leo", "Leo Řehoř")],
        city: "Žďár nad Sázavou",
    },
    Company {
        name: "Knihovna Lipová",
        domain: "knihovna-lipova.example",
        language: Language::Czech,
        role: Role::Unknown,
        people: &[("marta", "Marta Jelínková")],
        city: "Praha",
    },
    Company {
        name: "Drevovýroba Ďurica",
        domain: "drevo-durica.example",
        language: Language::Slovak,
        role: Role::Customer,
        people: &[("norbert", "Norbert Ďurica"), ("olga", "Oľga Kováčová")],
        city: "Martin",
    },
    Company {
        name: "Tatra Sklad, s.r.o.",
        domain: "tatra-sklad.example",
        language: Language::Slovak,
        role: Role::Customer,
        people: &[("peter", "Peter Ľupták"), ("renata", "Renáta Horváthová")],
        city: "Žilina",
    },
    Company {
        name: "Pekáreň Zlatý klas",
        domain: "pekaren-klas.example",
        language: Language::Slovak,
        role: Role::Unknown,
        people: &[("simona", "Simona Šimková")],
        city: "Nitra",
    },
    Company {
        name: "Meble Łuczak Sp. z o.o.",
        domain: "meble-luczak.example",
        language: Language::Polish,
        role: Role::Customer,
        people: &[("pawel", "Paweł Łuczak"), ("wanda", "Wanda Dąbrowska")],
        city: "Łódź",
    },
    Company {
        name: "Hurtownia Wiśniewski",
        domain: "hurtownia-wisniewski.example",
        language: Language::Polish,
        role: Role::Customer,
        people: &[("tomasz", "Tomasz Wiśniewski"), ("zaneta", "Żaneta Wójcik")],
        city: "Kraków",
    },
    Company {
        name: "Serwis Źródło",
        domain: "serwis-zrodlo.example",
        language: Language::Polish,
        role: Role::Unknown,
        people: &[("grzegorz", "Grzegorz Zieliński")],
        city: "Gdańsk",
    },
    Company {
        name: "Harbour Tools Ltd",
        domain: "harbour-tools.example",
        language: Language::English,
        role: Role::Customer,
        people: &[("grace", "Grace Wright"), ("oliver", "Oliver Evans")],
        city: "Hull",
    },
    Company {
        name: "Northfield Logistics",
        domain: "northfield.example",
        language: Language::English,
        role: Role::Customer,
        people: &[("susan", "Susan Taylor")],
        city: "Rotterdam",
    },
    Company {
        name: "Bluebird Robotics",
        domain: "bluebird-robotics.example",
        language: Language::English,
        role: Role::Unknown,
        people: &[("martin", "Martin Walker"), ("ulla", "Ulla Berg")],
        city: "Malmö",
    },
    Company {
        name: "Ocel Morava, a.s.",
        domain: "ocel-morava.example",
        language: Language::Czech,
        role: Role::Supplier,
        people: &[("radek", "Radek Svoboda")],
        city: "Ostrava",
    },
    Company {
        name: "Skrutky Baláž",
        domain: "skrutky-balaz.example",
        language: Language::Slovak,
        role: Role::Supplier,
        people: &[("zuzana", "Zuzana Balážová")],
        city: "Trenčín",
    },
    Company {
        name: "Stal-Pol S.A.",
        domain: "stal-pol.example",
        language: Language::Polish,
        role: Role::Supplier,
        people: &[("michal", "Michał Kamiński")],
        city: "Katowice",
    },
    Company {
        name: "Fasteners & Co",
        domain: "fasteners.example",
        language: Language::English,
        role: Role::Supplier,
        people: &[("paul", "Paul Jones")],
        city: "Leeds",
    },
    Company {
        name: "Týdeník Obzor",
        domain: "obzor.example",
        language: Language::Czech,
        role: Role::Press,
        people: &[("tereza", "Tereza Malá")],
        city: "Brno",
    },
    Company {
        name: "Denník Most",
        domain: "dennik-most.example",
        language: Language::Slovak,
        role: Role::Press,
        people: &[("viktor", "Viktor Hudák")],
        city: "Bratislava",
    },
    Company {
        name: "Przegląd Branżowy",
        domain: "przeglad.example",
        language: Language::Polish,
        role: Role::Press,
        people: &[("ewa", "Ewa Nowak")],
        city: "Warszawa",
    },
    Company {
        name: "Workshop Weekly",
        domain: "workshop-weekly.example",
        language: Language::English,
        role: Role::Press,
        people: &[("helen", "Helen Brown")],
        city: "London",
    },
];
