//! Whole lists as tables, for files that leave the house.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::Timestamp,
    store::{LicenseFilter, LicenseSort},
};

const PAGE: i64 = 500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    Licenses,
    Orders,
    Customers,
    Devices,
}

impl Exported {
    pub const ALL: [(&'static str, Self); 4] =
        [("licenses", Self::Licenses), ("orders", Self::Orders), ("customers", Self::Customers), ("devices", Self::Devices)];

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(name, _)| *name == text).map(|(_, what)| what)
    }
}

/// A table of texts; a cell without a value is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<Option<String>>>,
}

impl Table {
    /// Comma-separated, with headings. A cell a spreadsheet would run as a formula gets an apostrophe in front.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let cell = |cell: &Option<String>| tame(cell.as_deref().unwrap_or_default());
        let rows = self.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>());
        let headings: Vec<String> = self.columns.iter().map(|column| (*column).to_owned()).collect();
        for row in std::iter::once(headings).chain(rows) {
            writer.write_record(&row).expect("every row has as many cells as there are columns");
        }
        String::from_utf8(writer.into_inner().expect("memory does not fail")).expect("texts make a text")
    }

    /// One object a row.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let row = |row: &Vec<Option<String>>| -> serde_json::Value {
            let members = self.columns.iter().zip(row).map(|(column, cell)| ((*column).to_owned(), cell.clone().into()));
            serde_json::Value::Object(members.collect())
        };
        self.rows.iter().map(row).collect()
    }
}

fn tame(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

fn instant(at: Option<Timestamp>) -> Option<String> {
    at.map(Timestamp::to_rfc3339)
}

impl Desk {
    /// A whole list. Refuses a visitor who may not read it.
    pub async fn export(&self, visitor: &Visitor, what: Exported) -> Result<Table, ActError> {
        match what {
            Exported::Licenses => self.export_licenses(visitor).await,
            Exported::Orders => self.export_orders(visitor).await,
            Exported::Customers => self.export_customers(visitor).await,
            Exported::Devices => self.export_devices(visitor).await,
        }
    }

    async fn export_licenses(&self, visitor: &Visitor) -> Result<Table, ActError> {
        let mut rows = Vec::new();
        let mut filter = LicenseFilter { sort: LicenseSort::OldestFirst, limit: PAGE, ..LicenseFilter::default() };
        loop {
            let page = self.licenses(visitor, &filter).await?;
            rows.extend(page.rows.into_iter().map(|row| {
                vec![
                    Some(row.id.to_string()),
                    row.key,
                    Some(row.product_code),
                    Some(row.kind),
                    Some(if row.trial { "yes" } else { "no" }.to_owned()),
                    Some(row.state),
                    row.seats.map(|seats| seats.to_string()),
                    Some(row.seats_taken.to_string()),
                    instant(row.valid_until),
                    row.customer,
                    row.order,
                    Some(row.created.to_rfc3339()),
                ]
            }));
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        let columns: &[&str] = &[
            "id",
            "key",
            "product",
            "type",
            "trial",
            "state",
            "seats",
            "seats_taken",
            "valid_until",
            "customer",
            "order",
            "created",
        ];
        Ok(Table { columns, rows })
    }

    async fn export_orders(&self, visitor: &Visitor) -> Result<Table, ActError> {
        let mut rows = Vec::new();
        let mut after = None;
        loop {
            let page = self.orders(visitor, None, after, PAGE).await?;
            rows.extend(page.rows.into_iter().map(|row| {
                vec![
                    Some(row.id.to_string()),
                    Some(row.reference),
                    Some(row.provider),
                    Some(row.status),
                    row.customer,
                    Some(row.licenses.to_string()),
                    Some(row.ordered.to_rfc3339()),
                ]
            }));
            after = page.next.and_then(|next| next.parse().ok());
            if after.is_none() {
                break;
            }
        }
        Ok(Table { columns: &["id", "reference", "provider", "status", "customer", "licenses", "ordered"], rows })
    }

    async fn export_customers(&self, visitor: &Visitor) -> Result<Table, ActError> {
        let mut rows = Vec::new();
        let mut after = 0;
        loop {
            let page = self.customers(visitor, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.id.0;
            rows.extend(page.into_iter().map(|customer| {
                vec![
                    Some(customer.id.to_string()),
                    Some(customer.email.to_string()),
                    Some(customer.name),
                    Some(customer.company),
                    Some(customer.created.to_rfc3339()),
                ]
            }));
        }
        Ok(Table { columns: &["id", "email", "name", "company", "created"], rows })
    }

    async fn export_devices(&self, visitor: &Visitor) -> Result<Table, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let mut rows = Vec::new();
        let mut filter = LicenseFilter { sort: LicenseSort::OldestFirst, limit: PAGE, ..LicenseFilter::default() };
        loop {
            let page = self.licenses(visitor, &filter).await?;
            let mut conn = self.read().await?;
            for license in page.rows {
                for activation in conn.activations(license.id, i64::MAX).await? {
                    rows.push(vec![
                        Some(license.id.to_string()),
                        license.key.clone(),
                        Some(license.product_code.clone()),
                        Some(activation.device.id.to_string()),
                        activation.device.name.as_ref().map(ToString::to_string),
                        activation.device.os.clone(),
                        Some(activation.state.as_str().to_owned()),
                        Some(activation.how.as_str().to_owned()),
                        activation.user.clone(),
                        Some(activation.first_activated.to_rfc3339()),
                        Some(activation.last_seen.to_rfc3339()),
                    ]);
                }
            }
            filter.after = page.next;
            if filter.after.is_none() {
                break;
            }
        }
        let columns: &[&str] =
            &["license", "key", "product", "device_id", "name", "os", "state", "how", "user", "first_activated", "last_seen"];
        Ok(Table { columns, rows })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_never_runs_in_a_spreadsheet() {
        let cells = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "a=b", "x, \"y\""];
        let table = Table { columns: &["name"], rows: cells.iter().map(|cell| vec![Some((*cell).to_owned())]).collect() };
        let csv = table.to_csv();
        for line in ["'=1+1\n", "'+1\n", "'-1\n", "'@x\n", "'\tx\n", "a=b\n", "\"x, \"\"y\"\"\"\n"] {
            assert!(csv.contains(line), "{line:?} in {csv:?}");
        }
        assert!(csv.contains("'\rx"));
        assert_eq!(table.to_json()[0]["name"], "=1+1");
    }
}
