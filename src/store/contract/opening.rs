//! Opening: the schema is brought up to date once, the same on both engines, and never downwards.

use super::bench::{Bench, Place, act};
use super::samples::NOW;
use crate::store::{Engine, Location, Standing, Store, StoreError};

pub async fn opening_again_keeps_what_is_there(bench: Bench) {
    act!(bench.store, |c| c.set("name", "there", NOW).await).await.unwrap();
    for _ in 0..2 {
        let again = Store::open(&bench.location).await.unwrap();
        assert_eq!(again.read().await.unwrap().setting("name").await.unwrap().as_deref(), Some("there"));
        again.close().await;
    }
    assert_eq!(bench.ask("select cast(count(*) as text) from _sqlx_migrations").await, [known(&bench).to_string()]);
}

fn known(bench: &Bench) -> i64 {
    let known = Store::known_schema(bench.engine());
    assert!(known >= 3, "{known}");
    known
}

pub async fn looking_changes_nothing(bench: Bench) {
    let place = Place::make(bench.engine()).await;
    let location = place.location();
    assert_eq!(Store::look(&location).await.unwrap(), Standing::Empty);
    if let Location::Sqlite(path) = &location {
        assert!(!path.exists());
    }
    place.remove().await;
    assert_eq!(Store::look(&bench.location).await.unwrap(), Standing::Current);
    act!(bench.store, |c| c.set("name", "there", NOW).await).await.unwrap();
    let reading = Store::open_to_read(&bench.location).await.unwrap();
    assert_eq!(reading.read().await.unwrap().setting("name").await.unwrap().as_deref(), Some("there"));
    reading.close().await;
    bench.tamper("delete from _sqlx_migrations where version > 1").await;
    assert_eq!(Store::look(&bench.location).await.unwrap(), Standing::Behind { found: 1, known: known(&bench) });
    assert_eq!(bench.ask("select cast(count(*) as text) from _sqlx_migrations").await, ["1"]);
}

pub async fn two_processes_that_start_together_both_open(bench: Bench) {
    let place = Place::make(bench.engine()).await;
    let location = place.location();
    let (one, other) = tokio::join!(Store::open(&location), Store::open(&location));
    for store in [one.unwrap(), other.unwrap()] {
        act!(store, |c| c.set("name", "there", NOW).await).await.unwrap();
        store.close().await;
    }
    place.remove().await;
}

pub async fn a_database_of_a_newer_program_is_refused(bench: Bench) {
    bench
        .tamper(
            "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
             select 20991231, 'later', success, checksum, 0 from _sqlx_migrations where version = 1",
        )
        .await;
    let error = Store::open(&bench.location).await.err().expect("refused");
    let newest = known(&bench);
    assert!(matches!(error, StoreError::Newer { found: 20_991_231, known } if known == newest), "{error:?}");
    assert_eq!(Store::look(&bench.location).await.unwrap(), Standing::Newer { found: 20_991_231, known: newest });
    assert!(error.to_string().contains("newer version of this program"), "{error}");
}

pub async fn a_migration_that_was_edited_is_refused(bench: Bench) {
    bench.tamper("update _sqlx_migrations set description = 'other', checksum = cast('x' as bytea)".replace("bytea", bench.engine().pick("blob", "bytea")).as_str()).await;
    assert!(matches!(Store::open(&bench.location).await.err(), Some(StoreError::Migrate(_))));
}

/// Every table with its columns, in order, and which of them may be null.
const SQLITE: &str = "select m.name || '.' || c.name || case when c.\"notnull\" = 1 or c.pk > 0 then '' else '?' end \
     from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and m.name not like '\\_sqlx%' escape '\\' \
     and m.name not like 'sqlite%' order by m.name, c.cid";
const POSTGRES: &str = "select cast(table_name || '.' || column_name || case when is_nullable = 'NO' then '' else '?' end as text) \
     from information_schema.columns where table_schema = 'public' and table_name not like '\\_sqlx%' \
     order by table_name collate \"C\", ordinal_position";
const SQLITE_INDEXES: &str = "select m.name || ' ' || l.\"unique\" || ' ' || (select group_concat(coalesce(i.name, '()')) from pragma_index_info(m.name) i) \
     from sqlite_master m join pragma_index_list(m.tbl_name) l on l.name = m.name where m.type = 'index' and m.sql is not null order by m.name";
const POSTGRES_INDEXES: &str = "select cast(c.relname || ' ' || cast(x.indisunique as int) || ' ' || (select string_agg(coalesce(a.attname, '()'), ',' order by k.n) \
     from unnest(x.indkey) with ordinality k (attnum, n) left join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum) as text) \
     from pg_index x join pg_class c on c.oid = x.indexrelid join pg_class t on t.oid = x.indrelid \
     where c.relnamespace = 'public'::regnamespace and not x.indisprimary and t.relname not like '\\_sqlx%' order by c.relname collate \"C\"";

/// Each engine's own schema, compared with the other's migrations run in a place beside it.
pub async fn both_engines_have_the_same_tables_columns_and_indexes(bench: Bench) {
    let other = match bench.engine() {
        Engine::Sqlite => Engine::Postgres,
        Engine::Postgres => Engine::Sqlite,
    };
    let place = Place::make(other).await;
    let beside = Bench::open(place.location()).await;
    let columns = |engine: Engine| engine.pick(SQLITE, POSTGRES);
    let indexes = |engine: Engine| engine.pick(SQLITE_INDEXES, POSTGRES_INDEXES);
    let here = bench.ask(columns(bench.engine())).await;
    assert!(here.len() > 100, "{here:?}");
    assert_eq!(here, beside.ask(columns(other)).await);
    let here = bench.ask(indexes(bench.engine())).await;
    assert!(here.len() > 20, "{here:?}");
    assert_eq!(here, beside.ask(indexes(other)).await);
    beside.close().await;
    place.remove().await;
}

pub async fn odd_folder_names_are_no_obstacle(bench: Bench) {
    if let Location::Sqlite(path) = &bench.location {
        for name in ["with space", "ünïcödé", "a?b", "a#b", "100%25", "a&mode=ro", "'quote\""] {
            let folder = path.parent().unwrap().join(name);
            std::fs::create_dir(&folder).unwrap();
            let store = Store::open(&Location::Sqlite(folder.join("data.db"))).await.unwrap();
            act!(store, |c| c.set("name", "there", NOW).await).await.unwrap();
            store.close().await;
            assert!(folder.join("data.db").is_file(), "{name}");
        }
    }
    let shown = format!("{:?}", bench.location);
    assert!(!shown.contains("5432") && !shown.contains("postgres://"), "{shown}");
    let nowhere = match &bench.location {
        Location::Sqlite(path) => Location::Sqlite(path.join("below a file")),
        Location::Postgres(url) => Location::Postgres(format!("{}_secret", url.split('?').next().unwrap())),
    };
    let error = Store::open(&nowhere).await.err().expect("refused");
    assert!(matches!(error, StoreError::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
