//! Licenses: found by key or id, saved with the columns that lists sort by, locked by the act that decides about them.

use sqlx::any::AnyRow;

use super::{
    Conn, Engine, StoreError,
    conn::{Bound, Columns, maybe_plain, plain},
    products::{product, product_columns},
};
use crate::licensing::{
    ActivationKey, CustomerId, LicenseId, OrderId, PolicyId, ProductId, Timestamp,
    license::{License, LicenseState, Terms},
    product::Product,
};

macro_rules! license_columns {
    () => {
        "l.id as l_id, l.product_id as l_product_id, l.key_text as l_key_text, l.state_facts as l_state_facts, l.terms as l_terms, \
         l.seats_taken as l_seats_taken, l.transfers_used as l_transfers_used, l.first_activated_at as l_first_activated_at, \
         l.customer_id as l_customer_id, l.order_id as l_order_id, l.policy_id as l_policy_id, \
         l.subscription_provider as l_subscription_provider, l.subscription_reference as l_subscription_reference, \
         l.note as l_note, l.created_at as l_created_at, l.revision as l_revision, l.audit_head as l_audit_head"
    };
}
pub(super) use license_columns;

/// A license to be added.
#[derive(Clone, Debug)]
pub struct NewLicense {
    /// Given only by imports; else the database gives one.
    pub id: Option<LicenseId>,
    pub product: ProductId,
    pub key: Option<ActivationKey>,
    /// What a request that proves the key without showing it calls it.
    pub key_id: Option<String>,
    pub terms: Terms,
    pub customer: Option<CustomerId>,
    pub order: Option<OrderId>,
    pub policy: Option<PolicyId>,
    pub subscription: Option<(String, String)>,
    pub note: String,
}

/// A license with what a list tells beside it.
#[derive(Clone, Debug)]
pub struct LicenseListed {
    pub license: License,
    pub product: Product,
    pub email: Option<String>,
    pub name: Option<String>,
    /// The order's number.
    pub order: Option<String>,
}

macro_rules! listed {
    ($rest:literal) => {
        concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            ", c.email as email, c.name as name, o.reference as reference from license l join product p on p.id = l.product_id \
             left join customer c on c.id = l.customer_id left join orders o on o.id = l.order_id ",
            $rest
        )
    };
}

fn listed(row: &AnyRow) -> Result<LicenseListed, StoreError> {
    Ok(LicenseListed {
        license: license(row)?,
        product: product(row)?,
        email: row.maybe_string("email")?,
        name: row.maybe_string("name")?,
        order: row.maybe_string("reference")?,
    })
}

pub(super) fn license(row: &AnyRow) -> Result<License, StoreError> {
    let id = row.int("l_id")?;
    let bad = |column| StoreError::inconsistent("license", column, id);
    let key = row.maybe_string("l_key_text")?;
    let count = |column: &str, name| u32::try_from(row.int(column)?).map_err(|_| bad(name));
    Ok(License {
        id: LicenseId(id),
        product: ProductId(row.int("l_product_id")?),
        key: key.map(|text| ActivationKey::parse(&text).map_err(|_| bad("key_text"))).transpose()?,
        state: serde_json::from_str::<LicenseState>(&row.string("l_state_facts")?).map_err(|_| bad("state_facts"))?,
        terms: serde_json::from_str(&row.string("l_terms")?).map_err(|_| bad("terms"))?,
        seats_taken: count("l_seats_taken", "seats_taken")?,
        transfers_used: count("l_transfers_used", "transfers_used")?,
        first_activated: row.maybe_int("l_first_activated_at")?.map(Timestamp::from_millis),
        customer: row.maybe_int("l_customer_id")?.map(CustomerId),
        order: row.maybe_int("l_order_id")?.map(OrderId),
        policy: row.maybe_int("l_policy_id")?.map(PolicyId),
        subscription: row.maybe_string("l_subscription_provider")?.zip(row.maybe_string("l_subscription_reference")?),
        note: row.string("l_note")?,
        created: Timestamp::from_millis(row.int("l_created_at")?),
        revision: row.int("l_revision")?,
    })
}

impl Conn {
    /// A license with its product and the head of its audit chain.
    pub async fn license(&mut self, id: LicenseId) -> Result<Option<(License, Product, Option<Vec<u8>>)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.id = $1"
        );
        self.found(Q, id.0).await
    }

    /// The same, locked until the act ends. (On SQLite there is one writer, so every act holds every lock.)
    pub async fn lock_license(&mut self, id: LicenseId) -> Result<Option<(License, Product, Option<Vec<u8>>)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.id = $1"
        );
        const LOCKED: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.id = $1 for update of l"
        );
        self.found(self.engine().pick(Q, LOCKED), id.0).await
    }

    async fn found(&mut self, sql: &'static str, id: i64) -> Result<Option<(License, Product, Option<Vec<u8>>)>, StoreError> {
        let row = sqlx::query(sql).bind(id).fetch_optional(self.db()).await?;
        row.map(|row| Ok((license(&row)?, product(&row)?, row.maybe_bytes("l_audit_head")?))).transpose()
    }

    /// The licenses that a subscription pays for, oldest first.
    pub async fn licenses_of_subscription(
        &mut self,
        provider: &str,
        reference: &str,
    ) -> Result<Vec<(License, Product)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id \
             where l.subscription_provider = $1 and l.subscription_reference = $2 order by l.id"
        );
        let rows = sqlx::query(Q).bind(plain(provider)).bind(plain(reference)).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((license(row)?, product(row)?))).collect()
    }

    /// Every license with this key: one a product at the most.
    pub async fn licenses_with_key(&mut self, key: &ActivationKey) -> Result<Vec<(License, Product)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.key_folded = $1 order by l.id"
        );
        let rows = sqlx::query(Q).bind(key.folded()).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((license(row)?, product(row)?))).collect()
    }

    /// Licenses that a shop sold with this data of its own, newest first.
    pub async fn licenses_with_user_data(&mut self, data: &str, most: i64) -> Result<Vec<(License, Product)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.terms like $1 escape '!' order by l.id desc limit $2"
        );
        // Terms are JSON of this program's own making, so the data stands there as it is written here.
        let written = serde_json::to_string(data).expect("a text is plain data");
        let escaped = written.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        let rows = sqlx::query(Q).bind(format!("%\"user_data\":{escaped}%")).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((license(row)?, product(row)?))).collect()
    }

    /// The license a key proof names: its key is hashed, not shown.
    pub async fn license_by_key_id(
        &mut self,
        product: ProductId,
        key_id: &str,
    ) -> Result<Option<(LicenseId, ActivationKey)>, StoreError> {
        let sql = "select id, key_text from license where product_id = $1 and key_id = $2";
        let row = sqlx::query(sql).bind(product.0).bind(plain(key_id)).fetch_optional(self.db()).await?;
        row.map(|row| {
            let id = row.int("id")?;
            let key = ActivationKey::parse(&row.string("key_text")?)
                .map_err(|_| StoreError::inconsistent("license", "key_text", id))?;
            Ok((LicenseId(id), key))
        })
        .transpose()
    }

    pub async fn licenses_of_customer(
        &mut self,
        product: ProductId,
        customer: CustomerId,
        most: i64,
    ) -> Result<Vec<License>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            " from license l where l.customer_id = $1 and l.product_id = $2 order by l.id limit $3"
        );
        let rows = sqlx::query(Q).bind(customer.0).bind(product.0).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(license).collect()
    }

    /// Licenses after this id, in the order they were made.
    pub async fn licenses_listed(&mut self, after: i64, most: i64) -> Result<Vec<LicenseListed>, StoreError> {
        const Q: &str = listed!("where l.id > $1 order by l.id limit $2");
        sqlx::query(Q).bind(after).bind(most).fetch_all(self.db()).await?.iter().map(listed).collect()
    }

    /// Licenses made since an instant, newest first.
    pub async fn licenses_since(&mut self, since: Timestamp, most: i64) -> Result<Vec<LicenseListed>, StoreError> {
        const Q: &str = listed!("where l.created_at >= $1 order by l.id desc limit $2");
        sqlx::query(Q).bind(since.millis()).bind(most).fetch_all(self.db()).await?.iter().map(listed).collect()
    }

    /// A customer's licenses with their products, newest first.
    pub async fn newest_licenses_of(&mut self, customer: CustomerId, most: i64) -> Result<Vec<(License, Product)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.customer_id = $1 order by l.id desc limit $2"
        );
        let rows = sqlx::query(Q).bind(customer.0).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((license(row)?, product(row)?))).collect()
    }

    pub async fn licenses_of_order(&mut self, order: OrderId) -> Result<Vec<(License, Product)>, StoreError> {
        const Q: &str = concat!(
            "select ",
            license_columns!(),
            ", ",
            product_columns!(),
            " from license l join product p on p.id = l.product_id where l.order_id = $1 order by l.id"
        );
        let rows = sqlx::query(Q).bind(order.0).fetch_all(self.db()).await?;
        rows.iter().map(|row| Ok((license(row)?, product(row)?))).collect()
    }

    /// Adds an enabled license. `None` when its key is taken within the product, or its id.
    pub async fn add_license(&mut self, new: &NewLicense, now: Timestamp) -> Result<Option<LicenseId>, StoreError> {
        let sql = if new.id.is_some() {
            "insert into license (product_id, key_text, key_folded, state, state_facts, terms, kind, trial, seats, seats_taken, \
             transfers_used, valid_until, customer_id, order_id, policy_id, subscription_provider, subscription_reference, note, \
             created_at, key_id, revision, id) values ($1, $2, $3, 'enabled', $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1, $18) \
             on conflict do nothing returning id"
        } else {
            "insert into license (product_id, key_text, key_folded, state, state_facts, terms, kind, trial, seats, seats_taken, \
             transfers_used, valid_until, customer_id, order_id, policy_id, subscription_provider, subscription_reference, note, \
             created_at, key_id, revision) values ($1, $2, $3, 'enabled', $4, $5, $6, $7, $8, 0, 0, $9, $10, $11, $12, $13, $14, $15, $16, $17, 1) \
             on conflict do nothing returning id"
        };
        let state = serde_json::to_string(&LicenseState::Enabled).expect("states are plain data");
        let mut query = sqlx::query(sql)
            .bind(new.product.0)
            .bind(new.key.as_ref().map(ActivationKey::text))
            .bind(new.key.as_ref().map(ActivationKey::folded))
            .bind(state)
            .bind(terms_text(&new.terms))
            .bind(new.terms.kind.as_str())
            .bind(i64::from(new.terms.trial))
            .bind(new.terms.seats.most().map(i64::from))
            .bind(new.terms.expiry.instant(None).map(Timestamp::millis))
            .bind(new.customer.map(|id| id.0))
            .bind(new.order.map(|id| id.0))
            .bind(new.policy.map(|id| id.0))
            .bind(new.subscription.as_ref().map(|(provider, _)| plain(provider)))
            .bind(new.subscription.as_ref().map(|(_, reference)| plain(reference)))
            .bind(plain(&new.note))
            .bind(now.millis())
            .bind(maybe_plain(new.key_id.as_deref()));
        if let Some(id) = new.id {
            query = query.bind(id.0);
        }
        let added = query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(LicenseId)).transpose()?;
        if added.is_some() && new.id.is_some() && self.engine() == Engine::Postgres {
            // PostgreSQL goes on counting where it was, and would one day give an imported id again.
            let sql = "select setval('license_id_seq', $1) from license_id_seq where last_value <= $1";
            sqlx::query(sql).bind(added.map(|id| id.0)).fetch_optional(self.db()).await?;
        }
        Ok(added)
    }

    /// Saves an edited license under the next revision, and the head of its audit chain.
    pub async fn save_license(&mut self, license: &License, audit_head: Option<&[u8]>) -> Result<(), StoreError> {
        sqlx::query(
            "update license set state = $2, state_facts = $3, terms = $4, kind = $5, trial = $6, seats = $7, seats_taken = $8, \
             transfers_used = $9, first_activated_at = $10, valid_until = $11, customer_id = $12, note = $13, \
             subscription_provider = $14, subscription_reference = $15, audit_head = $16, order_id = $17, policy_id = $18, \
             revision = revision + 1 where id = $1",
        )
        .bind(license.id.0)
        .bind(license.state.as_str())
        .bind(serde_json::to_string(&license.state).expect("states are plain data"))
        .bind(terms_text(&license.terms))
        .bind(license.terms.kind.as_str())
        .bind(i64::from(license.terms.trial))
        .bind(license.terms.seats.most().map(i64::from))
        .bind(i64::from(license.seats_taken))
        .bind(i64::from(license.transfers_used))
        .bind(license.first_activated.map(Timestamp::millis))
        .bind(license.valid_until().map(Timestamp::millis))
        .bind(license.customer.map(|id| id.0))
        .bind(plain(&license.note))
        .bind(license.subscription.as_ref().map(|(provider, _)| plain(provider)))
        .bind(license.subscription.as_ref().map(|(_, reference)| plain(reference)))
        .bind(audit_head.map(<[u8]>::to_vec))
        .bind(license.order.map(|id| id.0))
        .bind(license.policy.map(|id| id.0))
        .execute(self.db())
        .await?;
        Ok(())
    }

    pub async fn set_audit_head(&mut self, license: LicenseId, head: &[u8]) -> Result<(), StoreError> {
        let sql = "update license set audit_head = $2 where id = $1";
        sqlx::query(sql).bind(license.0).bind(head.to_vec()).execute(self.db()).await?;
        Ok(())
    }

    /// Notes whose license it is, where nobody is noted.
    pub async fn set_license_customer(&mut self, license: LicenseId, customer: CustomerId) -> Result<(), StoreError> {
        let sql = "update license set customer_id = $2 where id = $1 and customer_id is null";
        sqlx::query(sql).bind(license.0).bind(customer.0).execute(self.db()).await?;
        Ok(())
    }

    /// Saves what an activation or a release changes, which is not an edit: answers given before stay as they were.
    pub async fn save_seats(&mut self, license: &License, audit_head: &[u8]) -> Result<(), StoreError> {
        bind_seats(sqlx::query(save_seats!()), license, audit_head).execute(self.db()).await?;
        Ok(())
    }

    /// Saves the counters of a license after use was reported, which is not an edit either, and the head of its audit chain.
    pub async fn save_use(&mut self, license: &License, audit_head: &[u8]) -> Result<(), StoreError> {
        let sql = "update license set terms = $2, audit_head = $3 where id = $1";
        let query = sqlx::query(sql).bind(license.id.0).bind(terms_text(&license.terms)).bind(audit_head.to_vec());
        query.execute(self.db()).await?;
        Ok(())
    }
}

/// Ends in `$6`; what follows in the same trip goes on with `$7`.
macro_rules! save_seats {
    () => {
        "update license set seats_taken = $2, transfers_used = $3, first_activated_at = $4, valid_until = $5, audit_head = $6 where id = $1"
    };
}
pub(super) use save_seats;

pub(super) fn bind_seats(query: Bound, license: &License, audit_head: &[u8]) -> Bound {
    query
        .bind(license.id.0)
        .bind(i64::from(license.seats_taken))
        .bind(i64::from(license.transfers_used))
        .bind(license.first_activated.map(Timestamp::millis))
        .bind(license.valid_until().map(Timestamp::millis))
        .bind(audit_head.to_vec())
}

fn terms_text(terms: &Terms) -> String {
    serde_json::to_string(terms).expect("terms are plain data")
}
