//! What shops told, and what their products are here.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{OrderId, Timestamp};

/// One of the vendor's own properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub name: String,
    pub value: String,
    /// Calls may name it as well.
    pub for_calls: bool,
}

/// How an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    New,
    Running,
    Done,
    Ignored,
    Failed,
}

impl EventState {
    const ALL: [(Self, &'static str); 5] = [
        (Self::New, "new"),
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Ignored, "ignored"),
        (Self::Failed, "failed"),
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(state, _)| *state == self).map_or("", |(_, text)| text)
    }
}

/// An event as it is kept. Its content is encrypted by the vault.
#[derive(Clone)]
pub struct ShopEvent {
    pub id: i64,
    pub extension: i64,
    pub extension_name: String,
    pub name: String,
    pub received: Timestamp,
    pub content: Vec<u8>,
    pub state: EventState,
    pub state_at: Timestamp,
    pub said: String,
    pub order: Option<OrderId>,
}

fn event(row: &AnyRow) -> Result<ShopEvent, StoreError> {
    let id = row.int("id")?;
    let state = row.string("state")?;
    let known = EventState::ALL.iter().find(|(_, text)| *text == state);
    Ok(ShopEvent {
        id,
        extension: row.int("extension_id")?,
        extension_name: row.string("extension_name")?,
        name: row.string("name")?,
        received: Timestamp::from_millis(row.int("received_at")?),
        content: row.bytes("content")?,
        state: known.ok_or_else(|| StoreError::inconsistent("shop_event", "state", id))?.0,
        state_at: Timestamp::from_millis(row.int("state_at")?),
        said: row.string("said")?,
        order: row.maybe_int("order_id")?.map(OrderId),
    })
}

fn property(row: &AnyRow) -> Result<Property, StoreError> {
    Ok(Property { name: row.string("name")?, value: row.string("value")?, for_calls: row.int("for_calls")? != 0 })
}

macro_rules! event_columns {
    () => {
        "v.id as id, v.extension_id as extension_id, x.name as extension_name, v.name as name, v.received_at as received_at, \
         v.content as content, v.state as state, v.state_at as state_at, v.said as said, v.order_id as order_id"
    };
}

impl Conn {
    /// The property with this name, in whatever case.
    pub async fn property(&mut self, name: &str) -> Result<Option<Property>, StoreError> {
        let sql = "select name, value, for_calls from property where name_folded = $1";
        sqlx::query(sql).bind(plain(&name.to_lowercase())).fetch_optional(self.db()).await?.as_ref().map(property).transpose()
    }

    pub async fn properties(&mut self) -> Result<Vec<Property>, StoreError> {
        let sql = "select name, value, for_calls from property order by name_folded";
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(property).collect()
    }

    /// Keeps a property, in place of the one with its name.
    pub async fn put_property(&mut self, new: &Property, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into property (name, name_folded, value, for_calls, created_at) values ($1, $2, $3, $4, $5) \
                   on conflict (name_folded) do update set name = excluded.name, value = excluded.value, for_calls = excluded.for_calls";
        let query = sqlx::query(sql).bind(plain(&new.name)).bind(plain(&new.name.to_lowercase())).bind(plain(&new.value));
        query.bind(i64::from(new.for_calls)).bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// Removes a property. `false` when there is none with this name.
    pub async fn remove_property(&mut self, name: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("delete from property where name_folded = $1").bind(plain(&name.to_lowercase()));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Keeps an event, unless the extension has told it before: then that one is given back.
    pub async fn keep_event(
        &mut self,
        extension: i64,
        name: &str,
        content: &[u8],
        now: Timestamp,
    ) -> Result<ShopEvent, StoreError> {
        let insert = "insert into shop_event (extension_id, name, received_at, content, state, state_at, said) \
                      values ($1, $2, $3, $4, 'new', $3, '') on conflict do nothing";
        let query = sqlx::query(insert).bind(extension).bind(plain(name)).bind(now.millis()).bind(content.to_vec());
        query.execute(self.db()).await?;
        let sql = concat!(
            "select ",
            event_columns!(),
            " from shop_event v join extension x on x.id = v.extension_id where v.extension_id = $1 and v.name = $2"
        );
        event(&sqlx::query(sql).bind(extension).bind(plain(name)).fetch_one(self.db()).await?)
    }

    /// Takes an event to act on it. `false` while another does so, or where it is done.
    pub async fn claim_event(&mut self, id: i64, again: bool, now: Timestamp, lost: Timestamp) -> Result<bool, StoreError> {
        let sql = "update shop_event set state = 'running', state_at = $2 where id = $1 and (state in ('new', 'failed') \
                   or (state = 'running' and state_at < $3) or ($4 = 1 and state in ('done', 'ignored')))";
        let query = sqlx::query(sql).bind(id).bind(now.millis()).bind(lost.millis()).bind(i64::from(again));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Notes what became of an event.
    pub async fn event_ended(
        &mut self,
        id: i64,
        state: EventState,
        said: &str,
        order: Option<OrderId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "update shop_event set state = $2, said = $3, state_at = $4, order_id = coalesce($5, order_id) where id = $1";
        let query = sqlx::query(sql).bind(id).bind(state.as_str()).bind(plain(said)).bind(now.millis());
        query.bind(order.map(|id| id.0)).execute(self.db()).await?;
        Ok(())
    }

    pub async fn event(&mut self, id: i64) -> Result<Option<ShopEvent>, StoreError> {
        let sql =
            concat!("select ", event_columns!(), " from shop_event v join extension x on x.id = v.extension_id where v.id = $1");
        sqlx::query(sql).bind(id).fetch_optional(self.db()).await?.as_ref().map(event).transpose()
    }

    /// Events that were begun before an instant and never came to an end.
    pub async fn events_left(&mut self, before: Timestamp, most: i64) -> Result<Vec<ShopEvent>, StoreError> {
        let sql = concat!(
            "select ",
            event_columns!(),
            " from shop_event v join extension x on x.id = v.extension_id where v.state in ('new', 'running') and v.state_at < $1 \
             order by v.id limit $2"
        );
        let query = sqlx::query(sql).bind(before.millis()).bind(most);
        query.fetch_all(self.db()).await?.iter().map(event).collect()
    }

    /// Events before this id, newest first; of one state, where one is named.
    pub async fn events(&mut self, before: i64, state: Option<&str>, most: i64) -> Result<Vec<ShopEvent>, StoreError> {
        let sql = concat!(
            "select ",
            event_columns!(),
            " from shop_event v join extension x on x.id = v.extension_id where v.id < $1 and ($2 = '' or v.state = $2) \
             order by v.id desc limit $3"
        );
        let query = sqlx::query(sql).bind(before).bind(plain(state.unwrap_or_default())).bind(most);
        query.fetch_all(self.db()).await?.iter().map(event).collect()
    }
}
