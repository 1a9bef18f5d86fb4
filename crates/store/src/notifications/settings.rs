//! Where somebody wants to be told of an event. No row: as the event's default says.

use crate::params;
use crate::sql::{Error, Sql, Tx};
use model::UserId;

/// One person's wish for one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whose.
    pub user: UserId,
    /// The event's word.
    pub event: String,
    /// In the interface.
    pub app: bool,
    /// By mail.
    pub mail: bool,
}

/// The wishes of these people.
pub async fn settings(sql: &mut impl Sql, users: &[UserId]) -> Result<Vec<Setting>, Error> {
    let text = "SELECT user_id, event, app, mail FROM notification_settings WHERE user_id = $1";
    let rows = sql.query_many(text, users.iter().map(|user| params![*user]).collect()).await?;
    rows.iter()
        .flatten()
        .map(|row| Ok(Setting { user: row.get(0)?, event: row.get(1)?, app: row.get(2)?, mail: row.get(3)? }))
        .collect()
}

/// Writes a wish.
pub async fn set(tx: &mut Tx, setting: &Setting) -> Result<(), Error> {
    let text = "INSERT INTO notification_settings (user_id, event, app, mail) VALUES ($1, $2, $3, $4) \
                ON CONFLICT (user_id, event) DO UPDATE SET app = excluded.app, mail = excluded.mail";
    tx.execute(text, params![setting.user, &setting.event, setting.app, setting.mail]).await.map(drop)
}
