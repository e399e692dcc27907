//! What pages read: things with what belongs beside them, and lists.

use super::{ActError, Area, Desk, Level, Visitor};
use crate::{
    licensing::{
        ActivationKey, Email, LicenseId, OrderId, ProductId,
        activation::Activation,
        decide::{self, ActivationFacts, ActivationRefusal, Holder},
        floating::{InUse, Slot},
        license::License,
        product::{Product, Version},
    },
    store::{
        Attempt, AttemptFilter, AuditEntry, AuditFilter, Customer, DeviceVariable, LicenseFilter, LicenseRow, LicenseUser, Order,
        OrderFilter, OrderRow, Page, Subject, SubjectNames,
    },
};

/// As many machines as a license's page names; those that hold a seat come first.
pub const MACHINES_SHOWN: usize = 200;
/// As many entries of a history, and refusals, as a page shows; the newest come first.
pub const ENTRIES_SHOWN: usize = 50;
/// Slots of a floating license and its features that its page knows of.
const SLOTS_SHOWN: i64 = 2000;

/// A license and everything its page shows.
#[derive(Clone)]
pub struct LicenseView {
    pub license: License,
    pub product: Product,
    pub customer: Option<Customer>,
    pub order: Option<Order>,
    pub users: Vec<LicenseUser>,
    pub activations: Vec<ActivationView>,
    /// Slots of a floating license that are in use now.
    pub slots_in_use: u32,
    /// Those of its floating features, by code.
    pub feature_slots: Vec<(String, u32)>,
    /// There are more machines than those.
    pub more_machines: bool,
    pub history: Vec<AuditEntry>,
    pub refusals: Vec<Attempt>,
    /// Whether a file can be made for a machine that holds a seat.
    pub usable: Result<(), ActivationRefusal>,
    /// "Can it be activated now?", by a machine that is new to it.
    pub availability: Result<(), ActivationRefusal>,
}

#[derive(Clone, Debug)]
pub struct ActivationView {
    pub activation: Activation,
    /// What the app told of its machine.
    pub variables: Vec<DeviceVariable>,
    /// The slots it has now of a floating license and its features.
    pub slots: Vec<Slot>,
}

#[derive(Clone)]
pub struct OrderView {
    pub order: Order,
    pub customer: Option<Customer>,
    pub licenses: Vec<(License, Product)>,
}

/// The figures of the vendor's front page.
#[derive(Clone, Copy, Debug)]
pub struct Tallies {
    pub products: u64,
    pub licenses: u64,
    pub seats: u64,
    pub refusals_week: u64,
    pub ending_month: u64,
}

#[derive(Clone, Debug)]
pub struct ProductRow {
    pub product: Product,
    pub licenses: u64,
    pub seats: u64,
    pub newest: Option<Version>,
}

#[derive(Clone, Debug)]
pub struct AttemptView {
    pub attempt: Attempt,
    pub license_key: Option<String>,
}

impl Desk {
    pub async fn license_view(&self, visitor: &Visitor, id: LicenseId) -> Result<LicenseView, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let mut conn = self.read().await?;
        let (mut license, product, _) = conn.license(id).await?.ok_or(ActError::NotFound)?;
        license.turn_meters(self.now());
        let customer = match license.customer {
            Some(id) => conn.customer(id).await?,
            None => None,
        };
        let order = match license.order {
            Some(id) => conn.order(id).await?,
            None => None,
        };
        let users = conn.license_users(id).await?;
        let mut activations = conn.activations(id, MACHINES_SHOWN as i64 + 1).await?;
        let more_machines = activations.len() > MACHINES_SHOWN;
        activations.truncate(MACHINES_SHOWN);
        let history = conn.audit_of(Subject::license(id.0), ENTRIES_SHOWN as i64).await?;
        let refusals = conn.attempts_of_license(id, ENTRIES_SHOWN as i64).await?;
        let holders: Vec<Holder> = conn.holders(id, super::activate::HOLDERS_NAMED).await?;
        let vacated = activations.iter().filter_map(|activation| match activation.state {
            crate::licensing::activation::ActivationState::Released { counted: true, replaced_by: None, .. } => {
                Some(activation.id)
            }
            _ => None,
        });
        let vacated: Vec<_> = vacated.collect();
        let now = self.now();
        let floats =
            license.terms.floating.is_some() || license.terms.entitlements.iter().any(|feature| feature.floating.is_some());
        let (slots, slots_in_use) = if floats {
            (conn.slots(id, now, SLOTS_SHOWN).await?, conn.slots_in_use(id, None, None, now).await?)
        } else {
            (Vec::new(), InUse::default())
        };
        let facts = ActivationFacts {
            product: &product,
            license: &license,
            known: None,
            vacated: vacated.iter().min().copied(),
            vacated_seats: u32::try_from(vacated.len()).unwrap_or(u32::MAX),
            blocked: false,
            slots: slots_in_use,
            holders: &holders,
            user: None,
        };
        let mut feature_slots: Vec<(String, u32)> = Vec::new();
        for feature in license.terms.entitlements.iter().filter(|feature| feature.floating.is_some()) {
            let in_use = conn.slots_in_use(id, Some(&feature.code), None, now).await?;
            feature_slots.push((feature.code.clone(), in_use.others));
        }
        let availability = decide::can_be_activated(&facts, self.now()).map(|_| ());
        let usable = decide::usable(&product, &license, self.now());
        let mut variables = conn.variables_of_license(id).await?;
        let activations = activations.into_iter().map(|activation| ActivationView {
            variables: variables.extract_if(.., |variable| variable.activation == activation.id).collect(),
            slots: slots.iter().filter(|slot| slot.activation == activation.id).cloned().collect(),
            activation,
        });
        let activations = activations.collect();
        Ok(LicenseView {
            license,
            product,
            customer,
            order,
            users,
            activations,
            slots_in_use: slots_in_use.others,
            feature_slots,
            more_machines,
            history,
            refusals,
            usable,
            availability,
        })
    }

    pub async fn licenses(&self, visitor: &Visitor, filter: &LicenseFilter) -> Result<Page<LicenseRow>, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let filter = LicenseFilter { by_whole_key: !visitor.sees_keys(), ..filter.clone() };
        let mut page = self.read().await?.list_licenses(&filter, self.now()).await?;
        for row in page.rows.iter_mut().filter(|_| !visitor.sees_keys()) {
            let parsed = row.key.as_deref().and_then(|key| ActivationKey::parse(key).ok());
            row.key = parsed.map(|key| visitor.key_text(&key));
        }
        Ok(page)
    }

    pub async fn count_licenses(&self, visitor: &Visitor, filter: &LicenseFilter) -> Result<i64, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let filter = LicenseFilter { by_whole_key: !visitor.sees_keys(), ..filter.clone() };
        Ok(self.read().await?.count_licenses(&filter, self.now()).await?)
    }

    pub async fn orders(
        &self,
        visitor: &Visitor,
        search: Option<&str>,
        after: Option<i64>,
        limit: i64,
    ) -> Result<Page<OrderRow>, ActError> {
        let filter = OrderFilter { search: search.map(str::to_owned), after, limit, ..OrderFilter::default() };
        self.order_page(visitor, &filter).await
    }

    /// As `orders`, turned either way.
    pub async fn order_page(&self, visitor: &Visitor, filter: &OrderFilter) -> Result<Page<OrderRow>, ActError> {
        visitor.needs(Area::Orders, Level::Read)?;
        Ok(self.read().await?.list_orders(filter).await?)
    }

    pub async fn order(&self, visitor: &Visitor, reference: &str) -> Result<OrderView, ActError> {
        visitor.needs(Area::Orders, Level::Read)?;
        let mut conn = self.read().await?;
        let order = conn.order_by_reference(reference).await?.ok_or(ActError::NotFound)?;
        let customer = match order.customer {
            Some(id) => conn.customer(id).await?,
            None => None,
        };
        let licenses = conn.licenses_of_order(order.id).await?;
        Ok(OrderView { order, customer, licenses })
    }

    pub async fn order_by_id(&self, visitor: &Visitor, id: OrderId) -> Result<OrderView, ActError> {
        visitor.needs(Area::Orders, Level::Read)?;
        let order = self.read().await?.order(id).await?.ok_or(ActError::NotFound)?;
        self.order(visitor, &order.reference).await
    }

    /// The figures of the vendor's front page.
    pub async fn tallies(&self, visitor: &Visitor) -> Result<Tallies, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let now = self.now();
        let mut conn = self.read().await?;
        let by_product = conn.product_counts().await?;
        Ok(Tallies {
            products: conn.products().await?.len() as u64,
            licenses: by_product.values().map(|(licenses, _)| *licenses as u64).sum(),
            seats: by_product.values().map(|(_, seats)| *seats as u64).sum(),
            refusals_week: conn.attempts_since(now.plus_days(-7)).await? as u64,
            ending_month: conn.ending_between(now, now.plus_days(30)).await? as u64,
        })
    }

    /// Each product with its licenses, taken seats and newest version.
    pub async fn product_rows(&self, visitor: &Visitor) -> Result<Vec<ProductRow>, ActError> {
        visitor.needs(Area::Products, Level::Read)?;
        let mut conn = self.read().await?;
        let counts = conn.product_counts().await?;
        let mut rows = Vec::new();
        for product in conn.products().await? {
            let newest = conn.releases(product.id).await?.first().map(|release| release.version);
            let (licenses, seats) = counts.get(&product.id.0).copied().unwrap_or_default();
            rows.push(ProductRow { product, licenses: licenses as u64, seats: seats as u64, newest });
        }
        Ok(rows)
    }

    /// How many licenses include each of a product's features.
    pub async fn feature_counts(&self, visitor: &Visitor, product: ProductId, codes: &[String]) -> Result<Vec<u64>, ActError> {
        visitor.needs(Area::Products, Level::Read)?;
        let mut conn = self.read().await?;
        let mut counts = Vec::with_capacity(codes.len());
        for code in codes {
            counts.push(conn.licenses_with_feature(product, code).await? as u64);
        }
        Ok(counts)
    }

    /// What happened to a subject, newest first, for its own page.
    pub async fn history(&self, visitor: &Visitor, area: Area, subject: Subject) -> Result<Vec<AuditEntry>, ActError> {
        visitor.needs(area, Level::Read)?;
        Ok(self.read().await?.audit_of(subject, ENTRIES_SHOWN as i64).await?)
    }

    /// What the subjects of entries are called; a subject that is gone has no name.
    pub async fn subject_names(&self, visitor: &Visitor, entries: &[AuditEntry]) -> Result<SubjectNames, ActError> {
        visitor.needs(Area::Audit, Level::Read)?;
        Ok(self.read().await?.subject_names(entries).await?)
    }

    /// What happened to every subject of a kind, newest first.
    pub async fn history_of_kind(&self, visitor: &Visitor, area: Area, kind: &str) -> Result<Vec<AuditEntry>, ActError> {
        visitor.needs(area, Level::Read)?;
        let filter =
            AuditFilter { subject: Some((kind.to_owned(), None)), limit: ENTRIES_SHOWN as i64, ..AuditFilter::default() };
        Ok(self.read().await?.list_audit(&filter).await?.rows)
    }

    pub async fn customers(&self, visitor: &Visitor, after: i64, limit: i64) -> Result<Vec<Customer>, ActError> {
        visitor.needs(Area::Customers, Level::Read)?;
        Ok(self.read().await?.customers(after, limit).await?)
    }

    /// A customer and their licenses.
    pub async fn customer(&self, visitor: &Visitor, email: &Email) -> Result<(Customer, Vec<LicenseRow>), ActError> {
        visitor.needs(Area::Customers, Level::Read)?;
        let mut conn = self.read().await?;
        let customer = conn.customer_by_email(email).await?.ok_or(ActError::NotFound)?;
        let filter = LicenseFilter { search: Some(email.to_string()), limit: 500, ..LicenseFilter::default() };
        let mut licenses = conn.list_licenses(&filter, self.now()).await?.rows;
        licenses.retain(|row| row.customer.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(email.as_str())));
        Ok((customer, licenses))
    }

    pub async fn refusal(&self, visitor: &Visitor, reference: &str) -> Result<AttemptView, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        let mut conn = self.read().await?;
        let attempt = conn.attempt(&reference.trim().to_uppercase()).await?.ok_or(ActError::NotFound)?;
        let license_key = match attempt.what.license {
            Some(id) => conn.license(id).await?.and_then(|(license, _, _)| license.key).map(|key| visitor.key_text(&key)),
            None => None,
        };
        Ok(AttemptView { attempt, license_key })
    }

    pub async fn refusals(&self, visitor: &Visitor, filter: &AttemptFilter) -> Result<Page<Attempt>, ActError> {
        visitor.needs(Area::Licenses, Level::Read)?;
        Ok(self.read().await?.list_attempts(filter).await?)
    }
}
