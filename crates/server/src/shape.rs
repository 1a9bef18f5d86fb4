//! Small shapes that many answers share: moments, words, names.

use model::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// A moment as RFC 3339 in UTC, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Time);

impl From<Time> for Moment {
    fn from(time: Time) -> Moment {
        Moment(time)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let moment = jiff::Timestamp::from_microsecond(self.0.0).map_err(serde::ser::Error::custom)?;
        to.collect_str(&moment)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Moment, D::Error> {
        let text = Cow::<'de, str>::deserialize(from)?;
        let moment: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Moment(Time(moment.as_microsecond())))
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Moment {
    fn name() -> Cow<'static, str> {
        "Moment".into()
    }
}

/// A name behind an id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserName {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A team's name behind its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TeamName {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// A display name and a mail address, as written in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    /// Display name; empty if none.
    pub name: String,
    /// Mail address as written.
    pub address: String,
}

impl From<model::Person> for Person {
    fn from(person: model::Person) -> Person {
        Person { name: person.name, address: person.address }
    }
}

/// Declares schemas of enums whose words are declared elsewhere, so that the document cannot drift
/// from them: `#[schema(value_type = shape::Tls)] tls: model::Tls`.
macro_rules! word_schemas {
    ($($(#[$doc:meta])* $name:ident of $words:ty),* $(,)?) => { $(
        $(#[$doc])*
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let words: Vec<&str> = <$words>::ALL.iter().map(|word| word.word()).collect();
                ObjectBuilder::new()
                    .schema_type(SchemaType::new(Type::String))
                    .enum_values(Some(words))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> { stringify!($name).into() }
        }
    )* };
}

word_schemas! {
    /// Schema of [`model::Level`].
    Level of model::Level,
    /// Schema of [`model::Tls`].
    Tls of model::Tls,
    /// Schema of [`model::AfterFiling`].
    AfterFiling of model::AfterFiling,
    /// Schema of [`model::MailboxKind`].
    MailboxKind of model::MailboxKind,
    /// Schema of [`model::Flag`].
    Flag of model::Flag,
    /// Schema of [`model::MailboxMode`].
    MailboxMode of model::MailboxMode,
    /// Schema of [`model::GroupMail`].
    GroupMail of model::GroupMail,
    /// Schema of [`model::Protocol`].
    Protocol of model::Protocol,
    /// Schema of [`model::RecordKind`].
    RecordKind of model::RecordKind,
    /// Schema of [`model::CaseStatus`].
    CaseStatus of model::CaseStatus,
    /// Schema of [`model::LinkReason`].
    LinkReason of model::LinkReason,
    /// Schema of [`model::Unverified`].
    Unverified of model::Unverified,
    /// Schema of [`model::Verdict`].
    Verdict of model::Verdict,
    /// Schema of [`store::changes::ChangeKind`].
    ChangeKind of store::changes::ChangeKind,
    /// Schema of [`desk::people::Language`].
    Language of desk::people::Language,
    /// Schema of [`desk::people::Theme`].
    Theme of desk::people::Theme,
    /// Schema of [`desk::people::Density`].
    Density of desk::people::Density,
    /// Schema of [`desk::case::Priority`].
    Priority of desk::case::Priority,
    /// Schema of [`store::threads::View`].
    View of store::threads::View,
    /// Schema of [`desk::record::Alike`].
    Alike of desk::record::Alike,
    /// Schema of [`desk::record::import::Target`].
    ImportTarget of desk::record::import::Target,
    /// Schema of [`desk::record::import::Existing`].
    ImportExisting of desk::record::import::Existing,
    /// Schema of [`store::stream::Only`].
    StreamOnly of store::stream::Only,
    /// Schema of [`desk::notification::Event`].
    NotificationEvent of desk::notification::Event,
    /// Schema of [`store::records::Sort`].
    RecordSort of store::records::Sort,
    /// Schema of [`desk::guess::GuessSource`].
    GuessSource of desk::guess::GuessSource,
    /// Schema of [`store::jobs::JobState`].
    JobState of store::jobs::JobState,
    /// Schema of [`store::outbox::OutboxState`].
    OutboxState of store::outbox::OutboxState,
    /// Schema of [`desk::mailbox::Phase`].
    Phase of desk::mailbox::Phase,
    /// Schema of [`model::RuleKind`].
    RuleKind of model::RuleKind,
    /// Schema of [`model::RuleField`].
    RuleField of model::RuleField,
    /// Schema of [`model::RuleTest`].
    RuleTest of model::RuleTest,
    /// Schema of [`model::Matching`].
    Matching of model::Matching,
    /// Schema of [`model::Side`].
    Side of model::Side,
    /// Schema of [`model::Distribution`].
    Distribution of model::Distribution,
    /// Schema of [`crate::api::rules::Scope`].
    RuleScope of crate::api::rules::Scope,
    /// Schema of [`desk::rule::ActionWord`].
    ActionWord of desk::rule::ActionWord,
    /// Schema of [`model::RuleNeed`].
    RuleNeed of model::RuleNeed,
    /// Schema of [`desk::rule::RuleSince`].
    RuleSince of desk::rule::RuleSince,
    /// Schema of [`desk::label::Hue`].
    Hue of desk::label::Hue,
}

/// Tells null (`Some(None)`) from nothing (`None`) in a body: `deserialize_with = "given"`.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
