//! Everything in the database, as text: to compare before and after, and to search.

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

use super::TestApp;
use crate::store::Engine;

impl TestApp {
    async fn own_connection(&self) -> AnyConnection {
        AnyConnection::connect(&self.location().url()).await.expect("a connection")
    }

    /// Someone with the database's password and no scruples.
    pub async fn tamper(&self, sql: &str) {
        let mut conn = self.own_connection().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("the database obeys");
        conn.close().await.expect("a connection closes");
    }

    /// The first column of every row, as text.
    pub async fn ask(&self, sql: &str) -> Vec<String> {
        let mut conn = self.own_connection().await;
        let rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut conn).await.expect("the database answers");
        conn.close().await.expect("a connection closes");
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub async fn count(&self, table: &str) -> usize {
        self.ask(&format!("select cast(count(*) as text) from {table}")).await[0].parse().unwrap()
    }

    pub async fn tables(&self) -> Vec<String> {
        self.ask(match self.location().engine() {
            Engine::Sqlite => "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name",
            Engine::Postgres => "select cast(tablename as text) from pg_tables where schemaname = 'public' order by tablename",
        })
        .await
    }

    /// Every row of every table: texts as they are, bytes in hexadecimal.
    pub async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in self.tables().await {
            let rows = match self.location().engine() {
                Engine::Sqlite => {
                    let columns = self.ask(&format!("select name from pragma_table_info('{table}') order by cid")).await;
                    let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
                    self.ask(&format!("select {} from \"{table}\" order by 1", quoted.join(" || ',' || "))).await
                }
                Engine::Postgres => self.ask(&format!("select t::text from \"{table}\" t order by 1")).await,
            };
            lines.extend(rows.into_iter().map(|row| format!("{table}: {row}")));
        }
        lines
    }

    /// Searches the dump, and on SQLite the files themselves, for something that must not be there.
    pub async fn assert_not_kept(&self, what: &str, secret: &[u8]) {
        use std::fmt::Write;
        let hex = secret.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let text = String::from_utf8_lossy(secret);
        for line in self.dump().await {
            assert!(!line.contains(&*text), "{what} is in {line:.80}");
            assert!(!line.to_lowercase().contains(&hex), "{what} is in {line:.80}, as bytes");
        }
        if let crate::store::Location::Sqlite(path) = self.location() {
            for end in ["", "-wal"] {
                let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "{what} is in the database file{end}");
            }
        }
    }
}
