//! Orders and the customers behind them.

use sqlx::any::AnyRow;

use super::{
    Account, Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{AccountId, CustomerId, Email, OrderId, ProductCode, Timestamp};

#[derive(Clone, Debug)]
pub struct Customer {
    pub id: CustomerId,
    pub email: Email,
    pub name: String,
    pub company: String,
    /// As it was told.
    pub phone: String,
    /// Since when they agree that what they told is kept; since when, that they are written to.
    pub consent: Option<Timestamp>,
    pub news: Option<Timestamp>,
    pub account: Option<Account>,
    pub created: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Order {
    pub id: OrderId,
    pub provider: String,
    pub reference: String,
    pub customer: Option<CustomerId>,
    pub status: String,
    pub ordered: Timestamp,
    pub created: Timestamp,
}

#[derive(Clone, Debug)]
pub struct NewOrder {
    pub provider: String,
    pub reference: String,
    pub customer: Option<CustomerId>,
    pub ordered: Timestamp,
}

/// What is said of a customer; what is not said stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct CustomerSaid<'a> {
    pub name: Option<&'a str>,
    pub company: Option<&'a str>,
    pub phone: Option<&'a str>,
}

/// What a customer can agree to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// That what they told is kept.
    Consent,
    /// That they are written to.
    News,
}

macro_rules! customer_columns {
    () => {
        "c.id as c_id, c.email as c_email, c.name as c_name, c.company as c_company, c.created_at as c_created_at, \
         c.phone as c_phone, c.consent_at as c_consent_at, c.news_at as c_news_at, \
         c.account_id as c_account_id, (select g.code from customer_account g where g.id = c.account_id) as c_account_code, \
         (select g.name from customer_account g where g.id = c.account_id) as c_account_name"
    };
}
pub(super) use customer_columns;

pub(super) fn customer(row: &AnyRow) -> Result<Customer, StoreError> {
    let id = row.int("c_id")?;
    Ok(Customer {
        id: CustomerId(id),
        email: Email::parse(&row.string("c_email")?).map_err(|_| StoreError::inconsistent("customer", "email", id))?,
        name: row.string("c_name")?,
        company: row.string("c_company")?,
        phone: row.string("c_phone")?,
        consent: row.maybe_int("c_consent_at")?.map(Timestamp::from_millis),
        news: row.maybe_int("c_news_at")?.map(Timestamp::from_millis),
        account: match row.maybe_int("c_account_id")? {
            Some(account) => Some(Account {
                id: AccountId(account),
                code: ProductCode::parse(&row.string("c_account_code")?)
                    .map_err(|_| StoreError::inconsistent("customer_account", "code", account))?,
                name: row.string("c_account_name")?,
            }),
            None => None,
        },
        created: Timestamp::from_millis(row.int("c_created_at")?),
    })
}

fn order(row: &AnyRow) -> Result<Order, StoreError> {
    Ok(Order {
        id: OrderId(row.int("id")?),
        provider: row.string("provider")?,
        reference: row.string("reference")?,
        customer: row.maybe_int("customer_id")?.map(CustomerId),
        status: row.string("status")?,
        ordered: Timestamp::from_millis(row.int("ordered_at")?),
        created: Timestamp::from_millis(row.int("created_at")?),
    })
}

impl Conn {
    /// The customer with this address, made if there is none. An existing one is left as it is.
    pub async fn customer_for(
        &mut self,
        email: &Email,
        name: &str,
        company: &str,
        now: Timestamp,
    ) -> Result<CustomerId, StoreError> {
        let insert = "insert into customer (email, email_folded, name, company, created_at) values ($1, $2, $3, $4, $5) on conflict do nothing";
        let query =
            sqlx::query(insert).bind(email.as_str().to_owned()).bind(email.folded()).bind(plain(name)).bind(plain(company));
        query.bind(now.millis()).execute(self.db()).await?;
        let row =
            sqlx::query("select id from customer where email_folded = $1").bind(email.folded()).fetch_one(self.db()).await?;
        row.int("id").map(CustomerId)
    }

    pub async fn customer(&mut self, id: CustomerId) -> Result<Option<Customer>, StoreError> {
        let sql = concat!("select ", customer_columns!(), " from customer c where c.id = $1");
        sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?.as_ref().map(customer).transpose()
    }

    pub async fn customer_by_email(&mut self, email: &Email) -> Result<Option<Customer>, StoreError> {
        let sql = concat!("select ", customer_columns!(), " from customer c where c.email_folded = $1");
        sqlx::query(sql).bind(email.folded()).fetch_optional(self.db()).await?.as_ref().map(customer).transpose()
    }

    /// Keeps what is said of a customer; what is not said stays. `false` when another has the address.
    pub async fn update_customer(&mut self, id: CustomerId, email: &Email, said: &CustomerSaid<'_>) -> Result<bool, StoreError> {
        let taken = sqlx::query("select id from customer where email_folded = $1 and id <> $2").bind(email.folded()).bind(id.0);
        if taken.fetch_optional(self.db()).await?.is_some() {
            return Ok(false);
        }
        let sql = "update customer set email = $2, email_folded = $3, name = coalesce($4, name), company = coalesce($5, company), \
                   phone = coalesce($6, phone) where id = $1";
        let query = sqlx::query(sql).bind(id.0).bind(email.as_str().to_owned()).bind(email.folded());
        let query = query.bind(said.name.map(plain)).bind(said.company.map(plain)).bind(said.phone.map(plain));
        query.execute(self.db()).await?;
        Ok(true)
    }

    /// Notes what a customer agrees to, or no more. `false` when there is none.
    pub async fn customer_agrees(&mut self, id: CustomerId, to: Agreement, since: Option<Timestamp>) -> Result<bool, StoreError> {
        let sql = match to {
            Agreement::Consent => "update customer set consent_at = $2 where id = $1",
            Agreement::News => "update customer set news_at = $2 where id = $1",
        };
        let query = sqlx::query(sql).bind(id.0).bind(since.map(Timestamp::millis));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// Customers by address, after this id.
    pub async fn customers(&mut self, after: i64, most: i64) -> Result<Vec<Customer>, StoreError> {
        let sql = concat!("select ", customer_columns!(), " from customer c where c.id > $1 order by c.id limit $2");
        let rows = sqlx::query(sql).bind(after).bind(most).fetch_all(self.db()).await?;
        rows.iter().map(customer).collect()
    }

    /// Adds an order. `None` when the provider has used this reference.
    pub async fn add_order(&mut self, new: &NewOrder, now: Timestamp) -> Result<Option<OrderId>, StoreError> {
        let sql = "insert into orders (provider, reference, customer_id, status, ordered_at, created_at) \
                   values ($1, $2, $3, 'completed', $4, $5) on conflict do nothing returning id";
        let query = sqlx::query(sql)
            .bind(plain(&new.provider))
            .bind(plain(&new.reference))
            .bind(new.customer.map(|id| id.0))
            .bind(new.ordered.millis())
            .bind(now.millis());
        query.fetch_optional(self.db()).await?.map(|row| row.int("id").map(OrderId)).transpose()
    }

    pub async fn order(&mut self, id: OrderId) -> Result<Option<Order>, StoreError> {
        let sql = "select id, provider, reference, customer_id, status, ordered_at, created_at from orders where id = $1";
        sqlx::query(sql).bind(id.0).fetch_optional(self.db()).await?.as_ref().map(order).transpose()
    }

    /// The order of a provider with a reference of its own.
    pub async fn order_of(&mut self, provider: &str, reference: &str) -> Result<Option<Order>, StoreError> {
        let sql = "select id, provider, reference, customer_id, status, ordered_at, created_at from orders \
                   where provider = $1 and reference = $2";
        sqlx::query(sql)
            .bind(plain(provider))
            .bind(plain(reference))
            .fetch_optional(self.db())
            .await?
            .as_ref()
            .map(order)
            .transpose()
    }

    /// The newest order with this reference, whichever provider gave it.
    pub async fn order_by_reference(&mut self, reference: &str) -> Result<Option<Order>, StoreError> {
        let sql = "select id, provider, reference, customer_id, status, ordered_at, created_at from orders where reference = $1 order by id desc limit 1";
        sqlx::query(sql).bind(plain(reference)).fetch_optional(self.db()).await?.as_ref().map(order).transpose()
    }
}
