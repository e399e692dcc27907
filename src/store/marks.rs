//! Whether anything has changed that an app was told of its machine's license: one text of every column it is made of, read for all
//! who ask at the same time together. One statement for each would keep a thread busy with being woken.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::AnyPool;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use super::{
    Conn, Engine, StoreError,
    activations::activation_columns,
    conn::{Columns, plain},
    licenses::license_columns,
    orders::customer_columns,
    products::product_columns,
};
use crate::licensing::{DeviceId, LicenseId};

/// How many are read by one statement.
const TOGETHER: usize = 64;

/// Who asks about which license.
#[derive(Clone, Debug)]
pub struct MarksOf {
    pub license: LicenseId,
    pub device: DeviceId,
    /// The app's own row counts too.
    pub api_key: String,
}

struct Waiting {
    of: MarksOf,
    reply: oneshot::Sender<Result<Option<String>, StoreError>>,
}

/// The columns of the rows that an answer is made of, and that can change; but for when the machine was seen last and the head of the
/// audit chain, which no answer tells.
static MARKS: LazyLock<String> = LazyLock::new(|| {
    const COLUMNS: [&str; 4] = [license_columns!(), product_columns!(), activation_columns!(), customer_columns!()];
    let columns = COLUMNS.iter().flat_map(|columns| columns.split(", "));
    let columns = columns.filter_map(|column| Some(column.trim().split_once(" as ")?.0));
    let columns = columns.filter(|column| !matches!(*column, "a.last_seen_at" | "l.audit_head")).map(str::to_owned);
    let more = ["a.computer_key".to_owned()];
    let of_the_app = ["revoked_at", "products", "read_only"].map(|name| format!("k.{name}"));
    let apart = [
        "(select min(b.id) from device_block b where b.device_id = a.device_id \
           and (b.product_id is null or b.product_id = l.product_id) and (b.license_id is null or b.license_id = l.id))",
        "(select s.kid from seal s where s.purpose = 'qlm' and s.product_id = l.product_id and s.state = 'active')",
        "(select s.kid from seal s where s.purpose = 'licensespring' and coalesce(s.product_id, 0) = 0 and s.state = 'active')",
    ];
    let all = columns.chain(more).chain(of_the_app).chain(apart.map(str::to_owned));
    // What is empty must not be taken for what is not there, nor the end of a text for the begin of the next.
    let told: Vec<_> = all.map(|expression| format!("coalesce(cast({expression} as text), '\u{1e}')")).collect();
    format!("concat_ws('\u{1f}', {})", told.join(", "))
});

/// The statement for so many. `cross join` keeps SQLite to this order: who asks comes first.
fn statement(count: usize) -> String {
    let row = |n: usize| {
        let at = 4 * n;
        let kinds = ["bigint", "bigint", "text", "text"].iter().enumerate();
        let casts: Vec<_> = kinds.map(|(place, kind)| format!("cast(${} as {kind})", at + place + 1)).collect();
        format!("({})", casts.join(", "))
    };
    let asked = (0..count).map(row).collect::<Vec<_>>().join(", ");
    format!(
        "select q.column1 as place, {} as marks from (values {asked}) as q cross join license l \
         join activation a on a.license_id = l.id and a.device_id = q.column3 join product p on p.id = l.product_id \
         left join customer c on c.id = l.customer_id left join api_key k on k.api_key = q.column4 where l.id = q.column2",
        MARKS.as_str()
    )
}

impl Conn {
    /// The text of each, in their order; none where the machine was never on the license. At most 64.
    async fn marks(&mut self, all: &[MarksOf]) -> Result<Vec<Option<String>>, StoreError> {
        // Few statements, so that each is prepared once.
        let count = all.len().next_power_of_two();
        let sql = statement(count);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for place in 0..count {
            let of = all.get(place).unwrap_or(&all[0]);
            let place = if place < all.len() { place as i64 } else { -1 };
            query = query.bind(place).bind(of.license.0).bind(of.device.as_str().to_owned()).bind(plain(&of.api_key));
        }
        // To its end: a statement that is not would hold what it sees.
        let rows = query.fetch_all(self.db()).await?;
        let mut found = HashMap::with_capacity(rows.len());
        for row in &rows {
            found.insert(row.int("place")?, row.string("marks")?);
        }
        Ok((0..all.len()).map(|place| found.remove(&(place as i64))).collect())
    }
}

/// Reads marks on a connection that stays taken: the pool asks each that it gets back whether it lives.
pub(super) struct Marks {
    queue: Mutex<Option<mpsc::Sender<Waiting>>>,
    reading: Mutex<Option<JoinHandle<()>>>,
}

/// The longest a reading takes: a connection that was dropped on its way would be waited for much longer.
const PATIENCE: Duration = Duration::from_secs(3);

impl Marks {
    pub(super) fn start(engine: Engine, readers: &AnyPool) -> Self {
        let (queue, asked) = mpsc::channel(4 * TOGETHER);
        let reading = tokio::spawn(run(engine, readers.clone(), asked));
        Self { queue: Mutex::new(Some(queue)), reading: Mutex::new(Some(reading)) }
    }

    pub(super) async fn of(&self, of: MarksOf) -> Result<Option<String>, StoreError> {
        let queue = open(&self.queue).clone().ok_or(StoreError::Closed)?;
        let (reply, told) = oneshot::channel();
        queue.send(Waiting { of, reply }).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) async fn stop(&self) {
        drop(open(&self.queue).take());
        let reading = open(&self.reading).take();
        if let Some(reading) = reading {
            // However it ended: what waits is told that the store is closed.
            let _ = timeout(2 * PATIENCE, reading).await;
        }
    }
}

fn open<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(engine: Engine, readers: AnyPool, mut asked: mpsc::Receiver<Waiting>) {
    let mut kept: Option<Conn> = None;
    let mut waiting = Vec::with_capacity(TOGETHER);
    while asked.recv_many(&mut waiting, TOGETHER).await > 0 {
        let all: Vec<MarksOf> = waiting.iter().map(|one| one.of.clone()).collect();
        let mut marks = read(&mut kept, engine, &readers, &all).await;
        if matches!(&marks, Err(StoreError::Database(error)) if !matches!(error, sqlx::Error::PoolTimedOut)) {
            // A connection that was idle for long may be gone.
            marks = read(&mut kept, engine, &readers, &all).await;
        }
        match marks {
            Ok(marks) => waiting.drain(..).zip(marks).for_each(|(one, marks)| drop(one.reply.send(Ok(marks)))),
            Err(error) => {
                tracing::warn!(error = ?error, "Whether answers to apps have changed could not be read.");
                // They look at everything instead, and tell what is wrong.
                waiting.drain(..).for_each(|one| drop(one.reply.send(Ok(None))));
            }
        }
    }
}

async fn read(
    kept: &mut Option<Conn>,
    engine: Engine,
    readers: &AnyPool,
    all: &[MarksOf],
) -> Result<Vec<Option<String>>, StoreError> {
    let mut conn = match kept.take() {
        Some(conn) => conn,
        None => match timeout(PATIENCE, readers.acquire()).await {
            Ok(conn) => Conn::for_reading(conn?, engine),
            Err(_) => return Err(sqlx::Error::PoolTimedOut.into()),
        },
    };
    match timeout(PATIENCE, conn.marks(all)).await {
        Ok(marks) => {
            let marks = marks?;
            *kept = Some(conn);
            Ok(marks)
        }
        Err(_) => {
            // Nobody may wait for it again, the pool neither.
            conn.give_up();
            Err(sqlx::Error::PoolTimedOut.into())
        }
    }
}
