//! Letters in the vendor's own words.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{Timestamp, template::Template};

fn template(row: &AnyRow) -> Result<Template, StoreError> {
    Ok(Template { name: row.string("name")?, subject: row.string("subject")?, text: row.string("body")? })
}

impl Conn {
    /// The template with this name, in whatever case.
    pub async fn template(&mut self, name: &str) -> Result<Option<Template>, StoreError> {
        let sql = "select name, subject, body from mail_template where name_folded = $1";
        let row = sqlx::query(sql).bind(plain(&name.to_lowercase())).fetch_optional(self.db()).await?;
        row.as_ref().map(template).transpose()
    }

    pub async fn templates(&mut self) -> Result<Vec<Template>, StoreError> {
        let rows = sqlx::query("select name, subject, body from mail_template order by name_folded").fetch_all(self.db()).await?;
        rows.iter().map(template).collect()
    }

    /// Keeps a template, in place of the one with its name.
    pub async fn put_template(&mut self, new: &Template, now: Timestamp) -> Result<(), StoreError> {
        let sql = "insert into mail_template (name, name_folded, subject, body, created_at) values ($1, $2, $3, $4, $5) \
                   on conflict (name_folded) do update set name = excluded.name, subject = excluded.subject, body = excluded.body";
        let query = sqlx::query(sql).bind(plain(&new.name)).bind(plain(&new.name.to_lowercase())).bind(plain(&new.subject));
        query.bind(plain(&new.text)).bind(now.millis()).execute(self.db()).await?;
        Ok(())
    }

    /// Removes a template. `false` when there is none with this name.
    pub async fn remove_template(&mut self, name: &str) -> Result<bool, StoreError> {
        let query = sqlx::query("delete from mail_template where name_folded = $1").bind(plain(&name.to_lowercase()));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }
}
