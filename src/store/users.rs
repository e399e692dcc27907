//! Named users of a license.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{AccountId, DeviceId, Email, LicenseId, ProductCode};

#[derive(Clone)]
pub struct LicenseUser {
    pub id: i64,
    pub license: LicenseId,
    pub email: Email,
    pub name: String,
    pub password_hash: String,
    pub is_initial_password: bool,
    /// How many machines of the license the user may have; what the license has where it says none.
    pub seats: Option<u32>,
    /// How many the user has.
    pub seats_taken: u32,
}

macro_rules! user_columns {
    () => {
        "u.id, u.license_id, u.email, u.name, u.password_hash, u.is_initial_password, u.seats, \
         (select count(*) from activation h where h.license_id = u.license_id and h.user_email = u.email and h.state = 'active') as seats_taken"
    };
}

impl Conn {
    /// Assigns a user. `None` when the license has one with this address.
    pub async fn add_license_user(
        &mut self,
        license: LicenseId,
        email: &Email,
        password_hash: &str,
        seats: Option<u32>,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "insert into license_user (license_id, email, email_folded, name, password_hash, is_initial_password, seats) \
                   values ($1, $2, $3, '', $4, 1, $5) on conflict do nothing returning id";
        let query =
            sqlx::query(sql).bind(license.0).bind(email.as_str().to_owned()).bind(email.folded()).bind(plain(password_hash));
        query.bind(seats.map(i64::from)).fetch_optional(self.db()).await?.map(|row| row.int("id")).transpose()
    }

    pub async fn license_users(&mut self, license: LicenseId) -> Result<Vec<LicenseUser>, StoreError> {
        let sql = concat!("select ", user_columns!(), " from license_user u where u.license_id = $1 order by u.id");
        self.users(sqlx::query(sql).bind(license.0)).await
    }

    pub async fn license_user(&mut self, id: i64) -> Result<Option<LicenseUser>, StoreError> {
        let sql = concat!("select ", user_columns!(), " from license_user u where u.id = $1");
        Ok(self.users(sqlx::query(sql).bind(id)).await?.pop())
    }

    /// The user of a license with an address as it is kept.
    pub async fn user_of_license(&mut self, license: LicenseId, email: &str) -> Result<Option<LicenseUser>, StoreError> {
        let sql = concat!("select ", user_columns!(), " from license_user u where u.license_id = $1 and u.email_folded = $2");
        Ok(self.users(sqlx::query(sql).bind(license.0).bind(plain(&email.to_lowercase()))).await?.pop())
    }

    /// The assignments of an address within a product, oldest first.
    pub async fn users_in_product(&mut self, product_folded: &str, email_folded: &str) -> Result<Vec<LicenseUser>, StoreError> {
        let sql = concat!(
            "select ",
            user_columns!(),
            " from license_user u join license l on l.id = u.license_id join product p on p.id = l.product_id \
             where p.code_folded = $1 and u.email_folded = $2 order by u.id"
        );
        self.users(sqlx::query(sql).bind(plain(product_folded)).bind(plain(email_folded))).await
    }

    /// The assignments of an address to licenses of a product whose customers are of an account, oldest first.
    pub async fn users_in_account(
        &mut self,
        product_folded: &str,
        email_folded: &str,
        account: AccountId,
    ) -> Result<Vec<LicenseUser>, StoreError> {
        let sql = concat!(
            "select ",
            user_columns!(),
            " from license_user u join license l on l.id = u.license_id join product p on p.id = l.product_id \
             join customer c on c.id = l.customer_id \
             where p.code_folded = $1 and u.email_folded = $2 and c.account_id = $3 order by u.id"
        );
        self.users(sqlx::query(sql).bind(plain(product_folded)).bind(plain(email_folded)).bind(account.0)).await
    }

    /// The assignments of an address to licenses of whatever product, with its code: oldest first, at most `most`.
    pub async fn users_with_email(
        &mut self,
        email_folded: &str,
        most: i64,
    ) -> Result<Vec<(LicenseUser, ProductCode)>, StoreError> {
        let sql = concat!(
            "select ",
            user_columns!(),
            ", p.code from license_user u join license l on l.id = u.license_id join product p on p.id = l.product_id \
             where u.email_folded = $1 order by u.id limit $2"
        );
        let rows = sqlx::query(sql).bind(plain(email_folded)).bind(most).fetch_all(self.db()).await?;
        rows.iter()
            .map(|row| {
                let user = user(row)?;
                let code = ProductCode::parse(&row.string("code")?);
                Ok((user.clone(), code.map_err(|_| StoreError::inconsistent("product", "code", user.id))?))
            })
            .collect()
    }

    /// How many machines of a license a user may have, and has beside this one. `None` where the license has no such user.
    pub async fn user_seats(
        &mut self,
        license: LicenseId,
        email: &str,
        beside: &DeviceId,
    ) -> Result<Option<(Option<u32>, u32)>, StoreError> {
        let sql = "select u.seats, (select count(*) from activation h where h.license_id = u.license_id and h.user_email = u.email \
                   and h.state = 'active' and h.device_id <> $3) as taken from license_user u where u.license_id = $1 and u.email = $2";
        let query = sqlx::query(sql).bind(license.0).bind(plain(email)).bind(beside.as_str().to_owned());
        let Some(row) = query.fetch_optional(self.db()).await? else { return Ok(None) };
        Ok(Some((seats(&row, "seats")?, seats(&row, "taken")?.unwrap_or_default())))
    }

    /// Allows a user another number of machines. `false` where the license has no such user.
    pub async fn set_user_seats(&mut self, license: LicenseId, email: &Email, seats: Option<u32>) -> Result<bool, StoreError> {
        let sql = "update license_user set seats = $3 where license_id = $1 and email_folded = $2";
        let query = sqlx::query(sql).bind(license.0).bind(email.folded()).bind(seats.map(i64::from));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    /// A password of the user's own in place of another. `false` when somebody changed it meanwhile.
    pub async fn set_user_password(&mut self, user: &LicenseUser, password_hash: &str) -> Result<bool, StoreError> {
        let sql = "update license_user set password_hash = $3, is_initial_password = 0 where id = $1 and password_hash = $2";
        let query = sqlx::query(sql).bind(user.id).bind(user.password_hash.clone()).bind(plain(password_hash));
        Ok(query.execute(self.db()).await?.rows_affected() == 1)
    }

    async fn users(&mut self, query: super::conn::Bound) -> Result<Vec<LicenseUser>, StoreError> {
        query.fetch_all(self.db()).await?.iter().map(user).collect()
    }
}

fn user(row: &AnyRow) -> Result<LicenseUser, StoreError> {
    let id = row.int("id")?;
    Ok(LicenseUser {
        id,
        license: LicenseId(row.int("license_id")?),
        email: Email::parse(&row.string("email")?).map_err(|_| StoreError::inconsistent("license_user", "email", id))?,
        name: row.string("name")?,
        password_hash: row.string("password_hash")?,
        is_initial_password: row.int("is_initial_password")? != 0,
        seats: seats(row, "seats")?,
        seats_taken: seats(row, "seats_taken")?.unwrap_or_default(),
    })
}

fn seats(row: &AnyRow, column: &str) -> Result<Option<u32>, StoreError> {
    Ok(row.maybe_int(column)?.and_then(|count| u32::try_from(count).ok()))
}
