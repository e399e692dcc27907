//! Named users of a license.

use sqlx::any::AnyRow;

use super::{
    Conn, StoreError,
    conn::{Columns, plain},
};
use crate::licensing::{Email, LicenseId, ProductCode};

#[derive(Clone)]
pub struct LicenseUser {
    pub id: i64,
    pub license: LicenseId,
    pub email: Email,
    pub name: String,
    pub password_hash: String,
    pub is_initial_password: bool,
    pub seats: Option<u32>,
}

impl Conn {
    /// Assigns a user. `None` when the license has one with this address.
    pub async fn add_license_user(
        &mut self,
        license: LicenseId,
        email: &Email,
        password_hash: &str,
    ) -> Result<Option<i64>, StoreError> {
        let sql = "insert into license_user (license_id, email, email_folded, name, password_hash, is_initial_password) \
                   values ($1, $2, $3, '', $4, 1) on conflict do nothing returning id";
        let query =
            sqlx::query(sql).bind(license.0).bind(email.as_str().to_owned()).bind(email.folded()).bind(plain(password_hash));
        query.fetch_optional(self.db()).await?.map(|row| row.int("id")).transpose()
    }

    pub async fn license_users(&mut self, license: LicenseId) -> Result<Vec<LicenseUser>, StoreError> {
        let sql = "select id, license_id, email, name, password_hash, is_initial_password, seats from license_user where license_id = $1 order by id";
        self.users(sqlx::query(sql).bind(license.0)).await
    }

    /// The assignments of an address within a product, oldest first.
    pub async fn users_in_product(&mut self, product_folded: &str, email_folded: &str) -> Result<Vec<LicenseUser>, StoreError> {
        let sql = "select u.id, u.license_id, u.email, u.name, u.password_hash, u.is_initial_password, u.seats from license_user u \
                   join license l on l.id = u.license_id join product p on p.id = l.product_id \
                   where p.code_folded = $1 and u.email_folded = $2 order by u.id";
        self.users(sqlx::query(sql).bind(plain(product_folded)).bind(plain(email_folded))).await
    }

    /// The assignments of an address to licenses of whatever product, with its code: oldest first, at most `most`.
    pub async fn users_with_email(
        &mut self,
        email_folded: &str,
        most: i64,
    ) -> Result<Vec<(LicenseUser, ProductCode)>, StoreError> {
        let sql = "select u.id, u.license_id, u.email, u.name, u.password_hash, u.is_initial_password, u.seats, p.code \
                   from license_user u join license l on l.id = u.license_id join product p on p.id = l.product_id \
                   where u.email_folded = $1 order by u.id limit $2";
        let rows = sqlx::query(sql).bind(plain(email_folded)).bind(most).fetch_all(self.db()).await?;
        rows.iter()
            .map(|row| {
                let user = user(row)?;
                let code = ProductCode::parse(&row.string("code")?);
                Ok((user.clone(), code.map_err(|_| StoreError::inconsistent("product", "code", user.id))?))
            })
            .collect()
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
        seats: row.maybe_int("seats")?.and_then(|seats| u32::try_from(seats).ok()),
    })
}
