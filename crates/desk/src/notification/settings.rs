//! What somebody wants to be told, and where: one's own settings for each event.

use super::{Event, Ways};
use crate::may::{Actor, Verb};
use crate::{Desk, Refusal};
use store::changes::{self, Change, ChangeKind};
use store::notifications::{self, Setting};

/// One's own settings, for every event.
pub async fn settings(desk: &Desk, actor: &Actor) -> Result<Vec<(Event, Ways)>, Refusal> {
    actor.may(Verb::ReadNotifications)?;
    let set = notifications::settings(&mut &desk.db, &[actor.person()?]).await?;
    let ways = |event: Event| {
        let own = set.iter().find(|setting| setting.event == event.word());
        own.map_or(event.default_ways(), |own| Ways { app: own.app, mail: own.mail })
    };
    Ok(Event::ALL.iter().map(|event| (*event, ways(*event))).collect())
}

/// Writes those of these events.
pub async fn change(desk: &Desk, actor: &Actor, wanted: &[(Event, Ways)]) -> Result<(), Refusal> {
    actor.may(Verb::ChangeSettings)?;
    let user = actor.person()?;
    let mut tx = desk.db.begin().await?;
    for (event, Ways { app, mail }) in wanted {
        let setting = Setting { user, event: event.word().to_owned(), app: *app, mail: *mail };
        notifications::set(&mut tx, &setting).await?;
    }
    let change = Change { kind: ChangeKind::User, entity_id: user.0, thread: None, action: "changed" };
    changes::add(&mut tx, change, desk.clock.now()).await?;
    Ok(tx.commit().await?)
}
