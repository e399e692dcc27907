//! Vendor staff and their sessions.

use sqlx::any::AnyRow;

use super::{
    Conn, Engine, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{Email, Timestamp, UserId};

#[derive(Clone)]
pub struct Staff {
    pub id: UserId,
    pub email: Email,
    pub password_hash: String,
    pub role: String,
    pub disabled: Option<Timestamp>,
    pub created: Timestamp,
}

#[derive(Clone)]
pub struct Session {
    pub staff: Staff,
    pub created: Timestamp,
    pub expires: Timestamp,
}

macro_rules! staff_columns {
    () => {
        "s.id as id, s.email as email, s.password_hash as password_hash, s.role as role, s.disabled_at as disabled_at, s.created_at as created_at"
    };
}

fn staff(row: &AnyRow) -> Result<Staff, StoreError> {
    let id = row.int("id")?;
    Ok(Staff {
        id: UserId(id),
        email: Email::parse(&row.string("email")?).map_err(|_| StoreError::inconsistent("staff", "email", id))?,
        password_hash: row.string("password_hash")?,
        role: row.string("role")?,
        disabled: row.maybe_int("disabled_at")?.map(Timestamp::from_millis),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// Adds a member. `None` when the address is taken.
    pub async fn add_staff(
        &mut self,
        email: &Email,
        password_hash: &str,
        role: &str,
        now: Timestamp,
    ) -> Result<Option<UserId>, StoreError> {
        let sql = "insert into staff (email, email_folded, password_hash, role, created_at) values ($1, $2, $3, $4, $5) \
                   on conflict do nothing returning id";
        let query = sqlx::query(sql)
            .bind(email.as_str().to_owned())
            .bind(email.folded())
            .bind(plain(password_hash))
            .bind(plain(role))
            .bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(UserId)).transpose()
    }

    pub async fn staff_by_email(&mut self, email: &Email) -> Result<Option<Staff>, StoreError> {
        let sql = concat!("select ", staff_columns!(), " from staff s where s.email_folded = $1");
        sqlx::query(sql).bind(email.folded()).fetch_optional(self.db()).await?.as_ref().map(staff).transpose()
    }

    pub async fn staff_member(&mut self, id: UserId) -> Result<Option<Staff>, StoreError> {
        let sql = concat!("select ", staff_columns!(), " from staff s where s.id = $1");
        sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?.as_ref().map(staff).transpose()
    }

    pub async fn all_staff(&mut self) -> Result<Vec<Staff>, StoreError> {
        let sql = concat!("select ", staff_columns!(), " from staff s order by s.id");
        sqlx::query(sql).fetch_all(self.db()).await?.iter().map(staff).collect()
    }

    /// All of them, locked until the act ends: who is the last of a kind cannot change meanwhile.
    pub async fn lock_staff(&mut self) -> Result<Vec<Staff>, StoreError> {
        if self.engine() == Engine::Postgres {
            sqlx::query("select id from staff order by id for update").fetch_all(self.db()).await?;
        }
        self.all_staff().await
    }

    pub async fn save_staff(&mut self, member: &Staff) -> Result<(), StoreError> {
        sqlx::query("update staff set password_hash = $2, role = $3, disabled_at = $4 where id = $1")
            .bind(member.id.0)
            .bind(member.password_hash.clone())
            .bind(member.role.clone())
            .bind(member.disabled.map(Timestamp::millis))
            .execute(self.db())
            .await?;
        Ok(())
    }

    pub async fn add_session(
        &mut self,
        token_hash: &[u8],
        staff: UserId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into session (token_hash, staff_id, created_at, last_seen_at, expires_at) values ($1, $2, $3, $3, $4)",
        )
        .bind(token_hash.to_vec())
        .bind(staff.0)
        .bind(now.millis())
        .bind(expires.millis())
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// The session behind a token, while it lasts and its member is not disabled.
    pub async fn session(&mut self, token_hash: &[u8], now: Timestamp) -> Result<Option<Session>, StoreError> {
        let sql = concat!(
            "select ",
            staff_columns!(),
            ", t.created_at as session_created_at, t.expires_at as session_expires_at \
              from session t join staff s on s.id = t.staff_id where t.token_hash = $1 and t.expires_at > $2 and s.disabled_at is null"
        );
        let row = sqlx::query(sql).bind(token_hash.to_vec()).bind(now.millis()).fetch_optional(self.db()).await?;
        row.map(|row| {
            Ok(Session {
                staff: staff(&row)?,
                created: Timestamp::from_millis(row.int("session_created_at")?),
                expires: Timestamp::from_millis(row.int("session_expires_at")?),
            })
        })
        .transpose()
    }

    pub async fn end_session(&mut self, token_hash: &[u8]) -> Result<(), StoreError> {
        sqlx::query("delete from session where token_hash = $1").bind(token_hash.to_vec()).execute(self.db()).await?;
        Ok(())
    }

    pub async fn end_sessions_of(&mut self, staff: UserId) -> Result<u64, StoreError> {
        Ok(sqlx::query("delete from session where staff_id = $1").bind(staff.0).execute(self.db()).await?.rows_affected())
    }
}
