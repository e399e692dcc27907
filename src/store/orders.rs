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

macro_rules! customer_columns {
    () => {
        "c.id as c_id, c.email as c_email, c.name as c_name, c.company as c_company, c.created_at as c_created_at, \
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
    pub async fn customer_for(&mut self, email: &Email, name: &str, now: Timestamp) -> Result<CustomerId, StoreError> {
        let insert = "insert into customer (email, email_folded, name, company, created_at) values ($1, $2, $3, '', $4) on conflict do nothing";
        let query = sqlx::query(insert).bind(email.as_str().to_owned()).bind(email.folded()).bind(plain(name)).bind(now.millis());
        query.execute(self.db()).await?;
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
    pub async fn update_customer(
        &mut self,
        id: CustomerId,
        email: &Email,
        name: Option<&str>,
        company: Option<&str>,
    ) -> Result<bool, StoreError> {
        let taken = sqlx::query("select id from customer where email_folded = $1 and id <> $2").bind(email.folded()).bind(id.0);
        if taken.fetch_optional(self.db()).await?.is_some() {
            return Ok(false);
        }
        let sql = "update customer set email = $2, email_folded = $3, name = coalesce($4, name), company = coalesce($5, company) \
                   where id = $1";
        let query = sqlx::query(sql).bind(id.0).bind(email.as_str().to_owned()).bind(email.folded());
        query.bind(name.map(plain)).bind(company.map(plain)).execute(self.db()).await?;
        Ok(true)
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
