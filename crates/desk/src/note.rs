//! Internal notes: in a thread, in a record's stream; and who is named in them.
//!
//! A note's text names somebody as `@[Ben Novák](user:7)`: the id says who is meant, whatever they are called
//! later or how many have that name; the name is written anew when the note is saved, so that nobody can be
//! made to say another's. Who is named is told if they may see the thread or record; who may not is not told,
//! and the writer hears that. Being named makes nobody a follower: it is one question, not a wish to hear of
//! everything that comes.

use crate::may::{Actor, Verb};
use crate::notification::{self, Event, Happened, Subject};
use crate::{Desk, Params, Refusal, record, sign_in, thread};
use model::{RecordId, ThreadId, UserId};
use std::collections::HashMap;
use store::changes;
use store::notifications as told;
use store::people;
use store::records;
use store::sql::{Sql, Tx};
use store::stream::{self, Entry, NewEntry, StreamKind};
use store::threads;

/// Longest note, in bytes.
pub const LONGEST_NOTE: usize = 100_000;
/// People one note can name; further ones stay plain text.
pub const MOST_MENTIONS: usize = 50;
/// Characters of a note that a notification shows.
const SHOWN_CHARACTERS: usize = 160;

/// A note as it was written.
#[derive(Clone, Debug)]
pub struct Note {
    /// Its entry.
    pub entry: Entry,
    /// Names of people it names who may not see it and are not told.
    pub not_told: Vec<String>,
}

/// Writes a note into a thread; it stands in the stream of the thread's case too.
pub async fn in_thread(desk: &Desk, actor: &Actor, id: ThreadId, body: &str) -> Result<Note, Refusal> {
    actor.may(Verb::NoteOnThread)?;
    let body = checked(body)?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    thread::visible(&mut tx, actor, id).await?;
    let record = threads::case_id(&mut tx, id).await?;
    let note = write(desk, &mut tx, actor, (record, Some(id)), &body).await?;
    changes::add(&mut tx, thread::change(id, "note"), now).await?;
    tx.commit().await?;
    Ok(note)
}

/// Writes a note into a record's stream.
pub async fn on_record(desk: &Desk, actor: &Actor, id: RecordId, body: &str) -> Result<Note, Refusal> {
    actor.may(Verb::NoteOnRecord)?;
    let body = checked(body)?;
    let now = desk.clock.now();
    let mut tx = desk.db.begin().await?;
    let kind = record::visible(&mut tx, actor, id).await?;
    let note = write(desk, &mut tx, actor, (Some(id), None), &body).await?;
    changes::add(&mut tx, record::change_of(id, kind, "note"), now).await?;
    tx.commit().await?;
    Ok(note)
}

fn checked(body: &str) -> Result<String, Refusal> {
    let body = body.trim();
    if body.is_empty() {
        return Err(Refusal::invalid("body", "required", "Write something first."));
    }
    if body.len() > LONGEST_NOTE {
        let message = format!("A note has at most {LONGEST_NOTE} bytes.");
        return Err(Refusal::invalid("body", "too_long", message).with("most", LONGEST_NOTE));
    }
    Ok(body.to_owned())
}

type Place = (Option<RecordId>, Option<ThreadId>);

async fn write(desk: &Desk, tx: &mut Tx, actor: &Actor, place: Place, body: &str) -> Result<Note, Refusal> {
    let named = mentioned(body);
    let names = people::names(tx, &named).await?;
    let body = with_names(body, &names);
    let (record, thread) = place;
    let entry = NewEntry {
        record,
        thread,
        kind: StreamKind::Note,
        user: actor.user,
        body,
        data: "{}".to_owned(),
        at: desk.clock.now(),
    };
    let id = stream::add(tx, entry).await?;
    let entry = stream::entry(tx, id).await?.ok_or(Refusal::NotFound)?;
    let named: Vec<UserId> = named.into_iter().filter(|id| names.contains_key(id)).collect();
    let not_told = unseen(tx, place, &named, &names).await?;
    tell(desk, tx, actor, place, &entry.body, named).await?;
    Ok(Note { entry, not_told })
}

/// Those named who may not see where the note stands.
async fn unseen(
    sql: &mut impl Sql,
    (record, thread): Place,
    named: &[UserId],
    names: &HashMap<UserId, String>,
) -> Result<Vec<String>, Refusal> {
    let mut see = Vec::new();
    for actor in sign_in::actors(sql, named).await? {
        let sees = match (thread, record) {
            (Some(thread), _) => threads::visible(sql, thread, &actor.mail_access()).await?,
            (None, Some(record)) => records::visible(sql, record, &actor.records_heard()).await?,
            (None, None) => false,
        };
        see.extend(actor.user.filter(|_| sees));
    }
    let others = named.iter().filter(|id| !see.contains(id));
    Ok(others.filter_map(|id| names.get(id).cloned()).collect())
}

/// Tells those named, and those who follow or are in charge.
async fn tell(
    desk: &Desk,
    tx: &mut Tx,
    actor: &Actor,
    (record, thread): Place,
    body: &str,
    named: Vec<UserId>,
) -> Result<(), Refusal> {
    let audience = match (thread, record) {
        (Some(thread), _) => told::audiences(tx, &[thread]).await?.pop().unwrap_or_default(),
        (None, Some(record)) => told::audience_of_record(tx, record).await?,
        (None, None) => return Ok(()),
    };
    let text: String = plain(body).chars().take(SHOWN_CHARACTERS).collect();
    let title = title(tx, (record, thread)).await?;
    let data = Params::from([("by", actor.name.clone()), ("subject", title), ("text", text)]);
    // In a thread's note its case is not named: who may see the thread may read the note.
    let subject = Subject { thread, record: record.filter(|_| thread.is_none()), message: None };
    let mut others: Vec<UserId> = audience.followers.iter().map(|(user, _)| *user).collect();
    others.extend(audience.assignee);
    others.retain(|user| !named.contains(user));
    let one = |event, people| Happened { event, subject, by: actor.user, people, data: data.clone() };
    let all = [one(Event::Mentioned, named), one(Event::NoteOnFollowed, others)];
    Ok(notification::events(desk, tx, &all).await?)
}

async fn title(sql: &mut impl Sql, (record, thread): Place) -> Result<String, Refusal> {
    Ok(match (thread, record) {
        (Some(thread), _) => threads::subject(sql, thread).await?,
        (None, Some(record)) => records::name(sql, record).await?,
        (None, None) => None,
    }
    .unwrap_or_default())
}

/// A piece of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Mention(&'a str, UserId),
}

/// A note in its pieces; what only looks like a mention is text.
fn pieces(body: &str) -> Vec<Piece<'_>> {
    let (mut out, mut from, mut at, mut count) = (Vec::new(), 0, 0, 0);
    while let Some(found) = body[at..].find("@[").map(|found| at + found) {
        let Some((name, user, length)) = mention(&body[found..]).filter(|_| count < MOST_MENTIONS) else {
            at = found + 2;
            continue;
        };
        out.extend([Piece::Text(&body[from..found]), Piece::Mention(name, user)]);
        count += 1;
        (from, at) = (found + length, found + length);
    }
    out.push(Piece::Text(&body[from..]));
    out
}

/// `@[Name](user:7)` at the beginning of a text: the name, the user, and how long it is.
fn mention(text: &str) -> Option<(&str, UserId, usize)> {
    let (name, rest) = text.strip_prefix("@[")?.split_once("](user:")?;
    let (digits, _) = rest.split_once(')')?;
    let fits =
        !name.contains(['\n', '[', ']']) && digits.len() <= 18 && digits.bytes().all(|b| b.is_ascii_digit());
    let id = digits.parse().ok().filter(|_| fits)?;
    Some((name, UserId(id), "@[](user:)".len() + name.len() + digits.len()))
}

/// Who is named, each once.
fn mentioned(body: &str) -> Vec<UserId> {
    let mut out = Vec::new();
    for piece in pieces(body) {
        if let Piece::Mention(_, user) = piece
            && !out.contains(&user)
        {
            out.push(user);
        }
    }
    out
}

/// The note with everybody's own name; whoever is nobody is plain text.
fn with_names(body: &str, names: &HashMap<UserId, String>) -> String {
    let written = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Mention(name, user) => match names.get(&user) {
            // The name is a user's own choice: what would end the mention early is left out.
            Some(name) => format!("@[{}](user:{user})", name.replace(['[', ']', '\n'], "")),
            None => format!("@{name}"),
        },
    };
    pieces(body).into_iter().map(written).collect()
}

/// The note as one reads it.
fn plain(body: &str) -> String {
    let read = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Mention(name, _) => format!("@{name}"),
    };
    pieces(body).into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b5_a_note_names_people_by_id_and_nothing_else_is_a_mention() {
        let body = "Hi @[Ben](user:7) and @[Ann](user:8), see @[x](user:y) a@[b](user:9) @[Ben](user:7)";
        assert_eq!(mentioned(body), [UserId(7), UserId(8), UserId(9)]);
        assert_eq!(plain("@[Ben](user:7)!"), "@Ben!");
        for text in ["@[Ben](user:)", "@[Ben](user:-7)", "@[Ben\n](user:7)", "@Ben", "@[a]b](user:7)", "@["] {
            assert_eq!(mentioned(text), [], "{text}");
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn b5_nobody_can_be_made_to_bear_another_name() {
        let names = HashMap::from([(UserId(7), "Ben [x]".to_owned())]);
        assert_eq!(with_names("@[The boss](user:7) @[Gone](user:8)", &names), "@[Ben x](user:7) @Gone");
    }

    #[test]
    fn b5_a_note_names_no_more_people_than_the_limit() {
        let body: String = (1..100).map(|id| format!("@[x](user:{id}) ")).collect();
        assert_eq!(mentioned(&body).len(), MOST_MENTIONS);
    }
}
