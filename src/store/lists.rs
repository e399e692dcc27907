//! Lists as the vendor portal shows them: filtered, sorted and paged by the server, each page from a key, never from an offset.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, any::AnyRow};

use super::{
    Attempt, AuditEntry, Conn, Engine, StoreError,
    attempts::{attempt, attempt_columns},
    audit::{audit_columns, entry},
    conn::{Bound, Columns},
};
use crate::licensing::{
    LicenseId, OrderId, ProductId, Timestamp,
    files::base64,
    license::{Expiry, Terms},
};

/// A page of a list, the key the next one starts after, and the key the one before it ends before.
#[derive(Clone, Debug)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub next: Option<String>,
    pub previous: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LicenseSort {
    #[default]
    NewestFirst,
    OldestFirst,
    ExpiresFirst,
    ExpiresLast,
    SeatsTakenLeast,
    SeatsTakenMost,
    SeenFirst,
    SeenLast,
    ProductUp,
    ProductDown,
    CustomerUp,
    CustomerDown,
}

/// What kind of value a list is sorted by, and so what its cursor carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorted {
    Number,
    Text,
}

impl LicenseSort {
    /// As addresses spell them: a column's name upwards, with a dash before it downwards.
    pub const ALL: [(&'static str, Self); 12] = [
        ("newest", Self::NewestFirst),
        ("oldest", Self::OldestFirst),
        ("expires", Self::ExpiresFirst),
        ("-expires", Self::ExpiresLast),
        ("seats", Self::SeatsTakenLeast),
        ("-seats", Self::SeatsTakenMost),
        ("seen", Self::SeenFirst),
        ("-seen", Self::SeenLast),
        ("product", Self::ProductUp),
        ("-product", Self::ProductDown),
        ("customer", Self::CustomerUp),
        ("-customer", Self::CustomerDown),
    ];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, sort)| sort)
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, sort)| *sort == self).map_or("newest", |(name, _)| name)
    }

    /// What is sorted by, of what kind it is, and whether it descends. Licenses without an end come last of those that end first.
    /// Texts are compared by their bytes on both engines, whatever the server's locale is.
    const fn by(self, engine: Engine) -> (&'static str, Sorted, bool) {
        const SEEN: &str = "coalesce((select max(z.last_seen_at) from activation z where z.license_id = l.id), 0)";
        let product = engine.pick("lower(p.name)", "lower(p.name collate \"C\")");
        let customer = engine.pick("coalesce(c.email_folded, '')", "coalesce(c.email_folded collate \"C\", '')");
        match self {
            Self::NewestFirst => ("l.id", Sorted::Number, true),
            Self::OldestFirst => ("l.id", Sorted::Number, false),
            Self::ExpiresFirst => ("coalesce(l.valid_until, 9007199254740991)", Sorted::Number, false),
            Self::ExpiresLast => ("coalesce(l.valid_until, 0)", Sorted::Number, true),
            Self::SeatsTakenLeast => ("l.seats_taken", Sorted::Number, false),
            Self::SeatsTakenMost => ("l.seats_taken", Sorted::Number, true),
            Self::SeenFirst => (SEEN, Sorted::Number, false),
            Self::SeenLast => (SEEN, Sorted::Number, true),
            Self::ProductUp => (product, Sorted::Text, false),
            Self::ProductDown => (product, Sorted::Text, true),
            Self::CustomerUp => (customer, Sorted::Text, false),
            Self::CustomerDown => (customer, Sorted::Text, true),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub struct LicenseFilter {
    /// A key or part of it, part of an e-mail address or of a device's name, the beginning of an order reference or a device id.
    pub search: Option<String>,
    /// Keys are found whole or by their last symbols alone: else a search would spell them out to who may not see them.
    pub by_whole_key: bool,
    pub product: Option<ProductId>,
    /// `enabled`, `disabled`, `archived`, `expired`, or `ending`: enabled, and over within 30 days.
    pub state: Option<String>,
    pub sort: LicenseSort,
    pub after: Option<String>,
    /// The page that ends before this key; goes before `after`.
    pub before: Option<String>,
    pub limit: i64,
}

#[derive(Clone, Debug)]
pub struct LicenseRow {
    pub id: LicenseId,
    pub key: Option<String>,
    pub product_code: String,
    pub product_name: String,
    pub customer: Option<String>,
    pub order: Option<String>,
    pub kind: String,
    pub trial: bool,
    pub seats: Option<i64>,
    pub seats_taken: i64,
    /// The end as far as it is known; `expiry` has the rule behind it.
    pub valid_until: Option<Timestamp>,
    pub expiry: Expiry,
    pub start: Option<Timestamp>,
    pub state: String,
    pub last_seen: Option<Timestamp>,
    pub created: Timestamp,
}

#[derive(Clone, Debug)]
pub struct OrderRow {
    pub id: OrderId,
    pub provider: String,
    pub reference: String,
    pub status: String,
    pub customer: Option<String>,
    pub licenses: i64,
    pub ordered: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// The beginning of a reference, or part of an e-mail address.
    pub search: Option<String>,
    pub after: Option<i64>,
    pub before: Option<i64>,
    pub limit: i64,
}

#[derive(Clone, Debug, Default)]
pub struct AttemptFilter {
    pub search: Option<String>,
    pub after: Option<i64>,
    pub before: Option<i64>,
    pub limit: i64,
}

#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Part of who acted, or the number of what it is about.
    pub search: Option<String>,
    pub subject: Option<(String, Option<i64>)>,
    pub after: Option<i64>,
    pub before: Option<i64>,
    pub limit: i64,
}

/// What a subject of the audit log is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectName {
    /// A license's key (none: it has users), a product's name, an order's reference, an address.
    pub name: Option<String>,
    /// A product's code: its page is found by it.
    pub code: Option<String>,
}

/// Names by kind and id.
pub type SubjectNames = BTreeMap<(String, i64), SubjectName>;

/// For every kind of subject that has a row of its own: where its name stands.
const NAMED: [(&str, &str); 11] = [
    ("license", "select id as id, key_text as name, null as code from license where id in "),
    ("product", "select id as id, name as name, code as code from product where id in "),
    ("customer_account", "select id as id, name as name, code as code from customer_account where id in "),
    ("extension", "select id as id, name as name, class as code from extension where id in "),
    ("bundle", "select id as id, name as name, code as code from bundle where id in "),
    ("order", "select id as id, reference as name, null as code from orders where id in "),
    ("customer", "select id as id, email as name, null as code from customer where id in "),
    ("staff", "select id as id, email as name, null as code from staff where id in "),
    ("api_key", "select id as id, name as name, null as code from api_key where id in "),
    ("oauth_client", "select id as id, name as name, null as code from oauth_client where id in "),
    // A ring of signing keys is called by the product it signs for.
    ("seal", "select id as id, name as name, code as code from product where id in "),
];

/// Days within which a license is said to be ending.
const ENDING_DAYS: i64 = 30;
/// What everyone who reads licenses is shown of a key.
const ENDING_SYMBOLS: usize = 4;

/// Which way a list is read from a key. Backwards it is read from its far end, and turned round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    After,
    Before,
}

/// A statement put together from constants of this file; what comes from outside is bound.
#[derive(Default)]
struct Statement {
    wheres: Vec<String>,
    texts: Vec<Value>,
}

enum Value {
    Text(String),
    Int(i64),
}

impl Statement {
    fn place(&mut self, value: Value) -> String {
        self.texts.push(value);
        format!("${}", self.texts.len())
    }

    fn text(&mut self, text: &str) -> String {
        self.place(Value::Text(text.to_owned()))
    }

    fn int(&mut self, number: i64) -> String {
        self.place(Value::Int(number))
    }

    fn wheres(&self) -> String {
        if self.wheres.is_empty() { String::new() } else { format!(" where {}", self.wheres.join(" and ")) }
    }

    fn query(self, sql: String) -> Bound {
        // Safe: every caller in this file builds `sql` from literals and the numbered places above.
        self.texts.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Int(number) => query.bind(number),
        })
    }
}

/// A text to be found inside another, its own wildcards taken literally.
fn like(text: &str, before: &str, after: &str) -> String {
    let mut pattern = before.to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + after
}

/// What was typed into a search field. A NUL is in no text that is kept, and PostgreSQL takes none.
fn typed(search: Option<&str>) -> Option<String> {
    let search = search?.replace('\0', "");
    let search = search.trim();
    (!search.is_empty()).then(|| search.to_owned())
}

/// Whether a column holds a text, the letters A to Z in either case: what `like` means on SQLite, said to both.
fn holds(engine: Engine, column: &str, place: &str) -> String {
    let like = engine.pick("like", "collate \"C\" ilike");
    format!("{column} {like} {place} escape '\\'")
}

/// One row more than is shown tells whether there is a next page.
const fn rows_to_read(limit: i64) -> i64 {
    if limit < 0 { 0 } else { limit.saturating_add(1) }
}

fn license_wheres(engine: Engine, statement: &mut Statement, filter: &LicenseFilter, now: Timestamp) {
    if let Some(search) = typed(filter.search.as_deref()) {
        let lower = statement.text(&like(&search.to_lowercase(), "%", "%"));
        let email = format!("c.email_folded like {lower} escape '\\'");
        if search.contains('@') {
            let user = format!(
                "exists (select 1 from license_user u where u.license_id = l.id and u.email_folded like {lower} escape '\\')"
            );
            statement.wheres.push(format!("({email} or {user})"));
        } else {
            let prefix = statement.text(&like(&search, "", "%"));
            let (reference, id) = (holds(engine, "o.reference", &prefix), holds(engine, "a.device_id", &prefix));
            let mut any = format!(
                "{email} or {reference} or exists (select 1 from activation a where a.license_id = l.id \
                 and ({id} or a.device_name_folded like {lower} escape '\\'))"
            );
            let key: String = search.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase).collect();
            if !key.is_empty() {
                if !filter.by_whole_key || key.chars().count() <= ENDING_SYMBOLS {
                    let before = statement.text(&like(&key, "%", if filter.by_whole_key { "" } else { "%" }));
                    any.push_str(&format!(" or l.key_folded like {before} escape '\\'"));
                } else {
                    let whole = statement.text(&key);
                    any.push_str(&format!(" or l.key_folded = {whole}"));
                }
            }
            statement.wheres.push(format!("({any})"));
        }
    }
    if let Some(product) = filter.product {
        let place = statement.int(product.0);
        statement.wheres.push(format!("l.product_id = {place}"));
    }
    match filter.state.as_deref() {
        Some("expired") => {
            let place = statement.int(now.millis());
            statement.wheres.push(format!("l.state = 'enabled' and l.valid_until <= {place}"));
        }
        Some("enabled") => {
            let place = statement.int(now.millis());
            statement.wheres.push(format!("l.state = 'enabled' and (l.valid_until is null or l.valid_until > {place})"));
        }
        Some("ending") => {
            let (from, until) = (statement.int(now.millis()), statement.int(now.plus_days(ENDING_DAYS).millis()));
            statement.wheres.push(format!("l.state = 'enabled' and l.valid_until > {from} and l.valid_until <= {until}"));
        }
        Some(state) => {
            let place = statement.text(&state.replace('\0', ""));
            statement.wheres.push(format!("l.state = {place}"));
        }
        None => {}
    }
}

const LICENSE_FROM: &str = " from license l join product p on p.id = l.product_id left join customer c on c.id = l.customer_id \
     left join orders o on o.id = l.order_id";

fn license_row(row: &AnyRow) -> Result<LicenseRow, StoreError> {
    let id = row.int("id")?;
    let terms: Terms =
        serde_json::from_str(&row.string("terms")?).map_err(|_| StoreError::inconsistent("license", "terms", id))?;
    Ok(LicenseRow {
        id: LicenseId(id),
        key: row.maybe_string("key_text")?,
        product_code: row.string("product_code")?,
        product_name: row.string("product_name")?,
        customer: row.maybe_string("customer_email")?,
        order: row.maybe_string("order_reference")?,
        kind: row.string("kind")?,
        trial: row.int("trial")? != 0,
        seats: row.maybe_int("seats")?,
        seats_taken: row.int("seats_taken")?,
        valid_until: row.maybe_int("valid_until")?.map(Timestamp::from_millis),
        expiry: terms.expiry,
        start: terms.start,
        state: row.string("state")?,
        last_seen: row.maybe_int("last_seen")?.map(Timestamp::from_millis),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    pub async fn list_licenses(&mut self, filter: &LicenseFilter, now: Timestamp) -> Result<Page<LicenseRow>, StoreError> {
        let mut statement = Statement::default();
        license_wheres(self.engine(), &mut statement, filter, now);
        let (by, kind, descends) = filter.sort.by(self.engine());
        let read = |key: &Option<String>| key.as_deref().and_then(|text| cursor(text, kind));
        let (turn, key) = match (read(&filter.before), read(&filter.after)) {
            (Some(key), _) => (Turn::Before, Some(key)),
            (None, Some(key)) => (Turn::After, Some(key)),
            (None, None) => (Turn::First, None),
        };
        let (compare, direction) = if descends == (turn == Turn::Before) { (">", "asc") } else { ("<", "desc") };
        if let Some((value, id)) = key {
            let (value, id) = (statement.place(value), statement.int(id));
            statement.wheres.push(format!("({by} {compare} {value} or ({by} = {value} and l.id {compare} {id}))"));
        }
        let wheres = statement.wheres();
        let limit = statement.int(rows_to_read(filter.limit));
        let sql = format!(
            "select l.id as id, l.key_text as key_text, p.code as product_code, p.name as product_name, c.email as customer_email, \
             o.reference as order_reference, l.kind as kind, l.trial as trial, l.seats as seats, l.seats_taken as seats_taken, \
             l.valid_until as valid_until, l.terms as terms, l.state as state, l.created_at as created_at, {by} as sorted, \
             (select max(a.last_seen_at) from activation a where a.license_id = l.id) as last_seen \
             {LICENSE_FROM}{wheres} order by {by} {direction}, l.id {direction} limit {limit}"
        );
        let rows = statement.query(sql).fetch_all(self.db()).await?;
        let page = turned(rows, filter.limit, turn, |row| {
            let value = match kind {
                Sorted::Number => row.int("sorted")?.to_string(),
                Sorted::Text => base64::url(row.string("sorted")?.as_bytes()),
            };
            Ok(format!("{value}.{}", row.int("id")?))
        })?;
        let rows = page.rows.iter().map(license_row).collect::<Result<_, _>>()?;
        Ok(Page { rows, next: page.next, previous: page.previous })
    }

    /// How many licenses the filter finds.
    pub async fn count_licenses(&mut self, filter: &LicenseFilter, now: Timestamp) -> Result<i64, StoreError> {
        let mut statement = Statement::default();
        license_wheres(self.engine(), &mut statement, filter, now);
        let sql = format!("select count(*) as found{LICENSE_FROM}{}", statement.wheres());
        statement.query(sql).fetch_one(self.db()).await?.int("found")
    }

    pub async fn list_orders(&mut self, filter: &OrderFilter) -> Result<Page<OrderRow>, StoreError> {
        let mut statement = Statement::default();
        if let Some(search) = typed(filter.search.as_deref()) {
            let prefix = statement.text(&like(&search, "", "%"));
            let lower = statement.text(&like(&search.to_lowercase(), "%", "%"));
            let reference = holds(self.engine(), "o.reference", &prefix);
            statement.wheres.push(format!("({reference} or c.email_folded like {lower} escape '\\')"));
        }
        let (turn, direction) = newest_first(&mut statement, "o.id", filter.after, filter.before);
        let wheres = statement.wheres();
        let most = statement.int(rows_to_read(filter.limit));
        let sql = format!(
            "select o.id as id, o.provider as provider, o.reference as reference, o.status as status, o.ordered_at as ordered_at, \
             c.email as customer_email, (select count(*) from license l where l.order_id = o.id) as licenses \
             from orders o left join customer c on c.id = o.customer_id{wheres} order by o.id {direction} limit {most}"
        );
        let rows = statement.query(sql).fetch_all(self.db()).await?;
        let all = rows.iter().map(|row| {
            Ok(OrderRow {
                id: OrderId(row.int("id")?),
                provider: row.string("provider")?,
                reference: row.string("reference")?,
                status: row.string("status")?,
                customer: row.maybe_string("customer_email")?,
                licenses: row.int("licenses")?,
                ordered: Timestamp::from_millis(row.int("ordered_at")?),
            })
        });
        turned(all.collect::<Result<_, StoreError>>()?, filter.limit, turn, |row: &OrderRow| Ok(row.id.to_string()))
    }

    pub async fn list_attempts(&mut self, filter: &AttemptFilter) -> Result<Page<Attempt>, StoreError> {
        let mut statement = Statement::default();
        if let Some(search) = typed(filter.search.as_deref()) {
            let (exact, prefix) = (statement.text(&like(&search, "", "")), statement.text(&like(&search, "", "%")));
            let columns = [
                ("reference", &exact),
                ("key_ends", &exact),
                ("device_id", &prefix),
                ("device_name", &prefix),
                ("code", &prefix),
            ];
            let any = columns.map(|(column, place)| holds(self.engine(), column, place));
            statement.wheres.push(format!("({})", any.join(" or ")));
        }
        let (turn, direction) = newest_first(&mut statement, "id", filter.after, filter.before);
        let wheres = statement.wheres();
        let most = statement.int(rows_to_read(filter.limit));
        let sql = format!("select {} from attempt{wheres} order by id {direction} limit {most}", attempt_columns!());
        let rows = statement.query(sql).fetch_all(self.db()).await?;
        turned(rows.iter().map(attempt).collect::<Result<_, _>>()?, filter.limit, turn, |row: &Attempt| Ok(row.id.to_string()))
    }

    pub async fn list_audit(&mut self, filter: &AuditFilter) -> Result<Page<AuditEntry>, StoreError> {
        let mut statement = Statement::default();
        if let Some((kind, id)) = &filter.subject {
            let place = statement.text(&kind.replace('\0', ""));
            statement.wheres.push(format!("subject_kind = {place}"));
            if let Some(id) = id {
                let place = statement.int(*id);
                statement.wheres.push(format!("subject_id = {place}"));
            }
        }
        if let Some(search) = typed(filter.search.as_deref()) {
            let actor = statement.text(&like(&search, "%", "%"));
            let actor = holds(self.engine(), "actor", &actor);
            let number = statement.int(search.parse().unwrap_or(-1));
            statement.wheres.push(format!("({actor} or subject_id = {number})"));
        }
        let (turn, direction) = newest_first(&mut statement, "id", filter.after, filter.before);
        let wheres = statement.wheres();
        let most = statement.int(rows_to_read(filter.limit));
        let sql = format!("select {} from audit{wheres} order by id {direction} limit {most}", audit_columns!());
        let rows = statement.query(sql).fetch_all(self.db()).await?;
        turned(rows.iter().map(entry).collect::<Result<_, _>>()?, filter.limit, turn, |row: &AuditEntry| Ok(row.id.to_string()))
    }
}

impl Conn {
    /// What the subjects of entries are called.
    pub async fn subject_names(&mut self, entries: &[AuditEntry]) -> Result<SubjectNames, StoreError> {
        let mut names = SubjectNames::new();
        for (kind, select) in NAMED {
            let ids: BTreeSet<i64> =
                entries.iter().filter(|entry| entry.subject_kind == kind).map(|entry| entry.subject_id).collect();
            if ids.is_empty() {
                continue;
            }
            let mut statement = Statement::default();
            let places: Vec<String> = ids.into_iter().map(|id| statement.int(id)).collect();
            let sql = format!("{select}({})", places.join(", "));
            for row in statement.query(sql).fetch_all(self.db()).await? {
                let name = SubjectName { name: row.maybe_string("name")?, code: row.maybe_string("code")? };
                names.insert((kind.to_owned(), row.int("id")?), name);
            }
        }
        Ok(names)
    }
}

/// Leaves the rows beside a key of a list that is sorted by id, the newest first; says how they are read.
fn newest_first(statement: &mut Statement, id: &str, after: Option<i64>, before: Option<i64>) -> (Turn, &'static str) {
    match (before, after) {
        (Some(before), _) => {
            let place = statement.int(before);
            statement.wheres.push(format!("{id} > {place}"));
            (Turn::Before, "asc")
        }
        (None, Some(after)) => {
            let place = statement.int(after);
            statement.wheres.push(format!("{id} < {place}"));
            (Turn::After, "desc")
        }
        (None, None) => (Turn::First, "desc"),
    }
}

/// Makes a page of rows as they were read: takes off the one too many, turns round what was read backwards, and gives the keys of
/// the pages beside it. Whoever came from a key has a page on that side, as long as there is a row to go back from.
fn turned<T>(
    mut rows: Vec<T>,
    limit: i64,
    turn: Turn,
    key: impl Fn(&T) -> Result<String, StoreError>,
) -> Result<Page<T>, StoreError> {
    let most = usize::try_from(limit).unwrap_or(0);
    let more = rows.len() > most;
    rows.truncate(most);
    if turn == Turn::Before {
        rows.reverse();
    }
    let (before, after) = match turn {
        Turn::First => (false, more),
        Turn::After => (true, more),
        Turn::Before => (more, true),
    };
    let previous = rows.first().filter(|_| before).map(&key).transpose()?;
    let next = rows.last().filter(|_| after).map(&key).transpose()?;
    Ok(Page { rows, next, previous })
}

/// What the last row of a page was sorted by, and its id.
fn cursor(text: &str, kind: Sorted) -> Option<(Value, i64)> {
    let (value, id) = text.split_once('.')?;
    let value = match kind {
        Sorted::Number => Value::Int(value.parse().ok()?),
        // No text that is kept holds a NUL, and PostgreSQL takes none.
        Sorted::Text => Value::Text(String::from_utf8(base64::from_url(value).ok()?).ok().filter(|text| !text.contains('\0'))?),
    };
    Some((value, id.parse().ok()?))
}
