//! Issuing: an order becomes keys and seats.

use sha2::{Digest, Sha256};

use super::{ActError, Area, Desk, Level, Refusal, Refused, Visitor, activate::HOLDERS_NAMED};
use crate::{
    licensing::{
        ActivationKey, CustomerId, Email, LicenseId, OrderId, ProductCode, Timestamp,
        files::{KeyProof, base64},
        issue::{BatchError, Quantities, QuantitySettings, batch},
        license::{Actor, Limit, Terms},
        product::Product,
        qlm::{self, key::Groups, protect::Protection},
    },
    store::{Conn, CustomerSaid, NewAudit, NewLicense, NewMessage, NewOrder, StoreError, Subject},
    vault::{Password as Secret, random_bytes},
};

const DAY_SECONDS: i64 = 86_400;

/// How an assigned user gets a password.
#[derive(Clone)]
pub enum Password {
    /// One is made and shown once.
    Made,
    Given(String),
}

/// What is to be issued.
#[derive(Clone)]
pub struct Issue {
    pub product: ProductCode,
    /// A key made elsewhere; only with one license.
    pub key: Option<ActivationKey>,
    pub id: Option<LicenseId>,
    /// The terms; their seats are those of one unit, and the quantities multiply them.
    pub terms: Terms,
    pub quantities: Quantities,
    pub customer: Option<Email>,
    /// Kept with a customer who is new.
    pub customer_name: String,
    pub customer_company: String,
    /// A customer who is known is called from now on what is said here.
    pub updates_customer: bool,
    /// When it was ordered; now where nothing is said.
    pub ordered: Option<Timestamp>,
    /// What was paid for the order, in hundredths.
    pub paid: Option<i64>,
    pub users: Vec<Email>,
    pub user_password: Password,
    /// How many machines of a license each of its users may have; as many as it has where none.
    pub user_seats: Option<u32>,
    /// The shop's or the vendor's own order number; one is made when there is none.
    pub order: Option<String>,
    pub provider: String,
    pub policy: Option<String>,
    pub note: String,
    /// The form's hidden id: the same form sent twice issues once.
    pub request_id: Option<String>,
    /// How the quantities become keys and seats, where the documentation leaves it open.
    pub quantity_settings: QuantitySettings,
    pub keys: KeyShape,
    /// What stands for one item of a shop's order: the same of the same order is the same licenses.
    pub item: Option<String>,
    /// The shop, and its number of the subscription that pays for the licenses.
    pub subscription: Option<(String, String)>,
    /// The customer gets the keys by mail.
    pub mails_keys: bool,
    /// The template of that letter, where an order names one.
    pub template: Option<String>,
    /// How many keys are made in a day at most by all who say so.
    pub keys_per_day: Option<u32>,
    /// As many licenses as there may be on this server.
    pub licenses_most: Option<u32>,
}

/// What the keys that are made look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyShape {
    Own,
    /// Quick License Manager's: a letter for the model, then chance.
    Qlm {
        letter: char,
        groups: Groups,
    },
}

impl Issue {
    #[must_use]
    pub fn one(product: ProductCode, terms: Terms) -> Self {
        Self {
            product,
            key: None,
            id: None,
            terms,
            quantities: Quantities::default(),
            customer: None,
            customer_name: String::new(),
            customer_company: String::new(),
            updates_customer: false,
            ordered: None,
            paid: None,
            users: Vec::new(),
            user_password: Password::Made,
            user_seats: None,
            order: None,
            provider: "manual".to_owned(),
            policy: None,
            note: String::new(),
            request_id: None,
            quantity_settings: QuantitySettings::default(),
            keys: KeyShape::Own,
            item: None,
            subscription: None,
            mails_keys: false,
            template: None,
            keys_per_day: None,
            licenses_most: None,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Issued {
    pub order: OrderId,
    pub order_reference: String,
    pub licenses: Vec<IssuedLicense>,
    /// It was issued when the same was asked for before.
    pub before: bool,
}

#[derive(Clone, Debug)]
pub struct IssuedLicense {
    pub id: LicenseId,
    pub key: Option<ActivationKey>,
    pub seats: Limit,
    pub users: Vec<IssuedUser>,
}

#[derive(Clone)]
pub struct IssuedUser {
    pub email: Email,
    /// Shown here once; absent where the password was given.
    pub initial_password: Option<String>,
}

impl std::fmt::Debug for IssuedUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedUser(…)")
    }
}

/// What an act makes by chance is drawn before it, so that running it again makes the same.
#[derive(Clone)]
pub(super) struct Drawn {
    keys: Vec<ActivationKey>,
    order: String,
    users: Vec<(Email, String, Option<String>)>,
    user_seats: Option<u32>,
    letter: Option<NewMessage>,
}

/// Something had been written when another act turned out to have been first: all of it is taken back.
#[derive(Debug, thiserror::Error)]
enum WasFirst {
    #[error("the same form was first")]
    SentTwice,
    #[error("another has this {0} already")]
    Taken(&'static str),
    #[error("no more keys today")]
    DayIsFull,
    #[error("no more licenses")]
    ServerIsFull(u32),
}

pub(super) enum Outcome {
    Issued(Issued),
    NoProduct,
    NoPolicy,
    /// A license of an air-gapped policy with terms of its own: the app would never hear of them.
    OtherTerms,
    OfBundle,
    Taken(&'static str),
}

impl Desk {
    /// Issues licenses. Refuses an unknown product or policy, a taken key, and more than the caps of [`batch`].
    pub async fn issue(&self, visitor: &Visitor, issue: Issue) -> Result<Issued, ActError> {
        visitor.needs(Area::Licenses, Level::Manage)?;
        // Where the order does not say how often a key may be used, the terms do.
        let per_key = issue.quantities.activations_per_key.or(issue.terms.seats.most());
        let quantities = Quantities { activations_per_key: per_key, ..issue.quantities };
        let made = batch(quantities, issue.quantity_settings).map_err(|error| match error {
            BatchError::TooManyKeys => {
                ActError::field("quantity", "At most 10,000 keys can be issued at once. Issue them in parts.")
            }
            BatchError::TooManySeats => {
                ActError::field("seats", "A key can have at most 1,000,000 seats. Choose unlimited instead.")
            }
        })?;
        if made.keys > 1 {
            if issue.key.is_some() {
                return Err(ActError::field(
                    "key",
                    "A key of your own can be given to one license only. Set the quantity to one.",
                ));
            }
            if issue.id.is_some() {
                return Err(ActError::field(
                    "id",
                    "An id of your own can be given to one license only. Set the quantity to one.",
                ));
            }
        }
        let seats = match issue.terms.seats {
            // Unless the order itself says how often a key may be used.
            Limit::Unlimited if issue.quantities.activations_per_key.is_none() => Limit::Unlimited,
            Limit::Unlimited | Limit::AtMost(_) => Limit::AtMost(made.seats_each),
        };
        let drawn = self.draw(&issue, made.keys).await?;
        let (now, actor) = (self.now(), visitor.actor());
        let outcome = match self.issue_once(&issue, &drawn, seats, &actor, now).await {
            // Another act came beside it and was first: what that one made is found now, before anything is written.
            Err(StoreError::GaveUp(_)) => self.issue_once(&issue, &drawn, seats, &actor, now).await,
            done => done,
        };
        let outcome = match outcome {
            Err(StoreError::GaveUp(why)) => match why.downcast_ref() {
                Some(&WasFirst::Taken(what)) => Ok(Outcome::Taken(what)),
                Some(WasFirst::DayIsFull) => return Err(limited(Protection::Keys)),
                Some(&WasFirst::ServerIsFull(most)) => return Err(limited(Protection::Records { most })),
                _ => Err(StoreError::GaveUp(why)),
            },
            done => done,
        };
        match outcome? {
            Outcome::Issued(issued) => {
                if issue.mails_keys {
                    self.message_waits();
                }
                Ok(issued)
            }
            Outcome::NoProduct => Err(ActError::field("product", "There is no product with this code.")),
            Outcome::OtherTerms => Err(ActError::field(
                "policy",
                "A license of an air-gapped policy has the policy's terms, because the app knows no others. Leave out everything but seats.",
            )),
            Outcome::NoPolicy => Err(ActError::field("policy", "The product has no policy with this code.")),
            Outcome::OfBundle => Err(ActError::field("id", "A bundle is several licenses, each with an id that is made here.")),
            Outcome::Taken(what) => Err(ActError::Taken(what)),
        }
    }

    async fn issue_once(
        &self,
        issue: &Issue,
        drawn: &Drawn,
        seats: Limit,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Outcome, StoreError> {
        let (issue, drawn, actor) = (issue.clone(), drawn.clone(), actor.clone());
        self.store
            .write(move |conn| {
                let (issue, drawn, actor) = (issue.clone(), drawn.clone(), actor.clone());
                Box::pin(async move { issue_in(conn, &issue, &drawn, seats, &actor, now).await })
            })
            .await
    }

    pub(super) async fn draw(&self, issue: &Issue, count: u32) -> Result<Drawn, StoreError> {
        let keys = match &issue.key {
            Some(key) => vec![key.clone()],
            None => (0..count).map(|_| made(issue.keys)).collect(),
        };
        let mut users = Vec::new();
        for email in &issue.users {
            let (text, shown) = match &issue.user_password {
                Password::Given(text) => (text.clone(), None),
                Password::Made => {
                    let made = base64::url(&random_bytes::<12>());
                    (made.clone(), Some(made))
                }
            };
            users.push((email.clone(), self.passwords.hash(Secret::given(&text)).await, shown));
        }
        let order = issue.order.clone().unwrap_or_else(|| super::refusal::new_reference().replacen("R-", "CS-", 1));
        let letter = match issue.customer.as_ref().filter(|_| issue.mails_keys) {
            Some(to) => Some(self.bought_letter(to, issue, &keys, &order).await?),
            None => None,
        };
        Ok(Drawn { keys, order, users, user_seats: issue.user_seats, letter })
    }
}

pub(super) async fn issue_in(
    conn: &mut Conn,
    issue: &Issue,
    drawn: &Drawn,
    seats: Limit,
    actor: &Actor,
    now: Timestamp,
) -> Result<Outcome, StoreError> {
    let form_actor = serde_json::to_string(actor).expect("actors are plain data");
    let form_id = issue.request_id.as_ref().map(|id| base64::url(&Sha256::digest(format!("{id}\n{form_actor}"))));
    if let Some(id) = &form_id
        && let Some(before) = conn.form_result(id, &form_actor).await?
        && let Some(order) = before.parse().ok().map(OrderId)
    {
        return issued_before(conn, order, None).await;
    }
    // Of a bundle each key is the key of a license of every product.
    let products = match conn.product(&issue.product).await? {
        Some(product) => vec![product],
        None => match conn.bundle(&issue.product).await? {
            Some(bundle) => conn.bundle_products(bundle.id).await?,
            None => return Ok(Outcome::NoProduct),
        },
    };
    let Some(product) = products.first() else { return Ok(Outcome::NoProduct) };
    if products.len() > 1 && issue.id.is_some() {
        return Ok(Outcome::OfBundle);
    }
    let policy = match &issue.policy {
        Some(_) if products.len() > 1 => return Ok(Outcome::NoPolicy),
        Some(code) => match conn.policies(product.id).await?.into_iter().find(|policy| policy.code.eq_ignore_ascii_case(code)) {
            Some(policy) if policy.terms.air_gapped && !has_terms_of(&issue.terms, &policy.terms) => {
                return Ok(Outcome::OtherTerms);
            }
            Some(policy) => Some(policy.id),
            None => return Ok(Outcome::NoPolicy),
        },
        None if issue.terms.air_gapped => return Ok(Outcome::NoPolicy),
        None => None,
    };
    // Looked for before anything is written: a refusal leaves nothing behind.
    if let Some(id) = issue.id
        && conn.license(id).await?.is_some()
    {
        return Ok(Outcome::Taken("id"));
    }
    if let Some(key) = &issue.key
        && conn.licenses_with_key(key).await?.iter().any(|(_, of)| products.iter().any(|product| product.id == of.id))
    {
        return Ok(Outcome::Taken("key"));
    }
    let customer = match &issue.customer {
        Some(email) => Some(customer_of(conn, issue, email, now).await?),
        None => None,
    };
    let ordered = issue.ordered.unwrap_or(now);
    let new_order = NewOrder { provider: issue.provider.clone(), reference: drawn.order.clone(), customer, ordered };
    let order = match conn.add_order(&new_order, now).await? {
        Some(order) => {
            let after = Some(serde_json::json!({
                "reference": drawn.order, "provider": issue.provider, "customer": customer.map(|id| id.0),
                "licenses": drawn.keys.len() * products.len(),
            }));
            let subject = Subject::of("order", order.0);
            let entry = NewAudit { at: now, subject, act: "order.added", actor: actor.clone(), before: None, after };
            conn.audit_apart(&entry).await?;
            if let Some(paid) = issue.paid {
                conn.set_order_paid(order, paid).await?;
            }
            order
        }
        // The same order again: these licenses belong to it too.
        None => match conn.order_of(&issue.provider, &drawn.order).await? {
            Some(order) => order.id,
            None => return Err(StoreError::gave_up(WasFirst::Taken("order"))),
        },
    };
    if let Some(item) = &issue.item {
        let before = conn.licenses_of_item(order, item).await?;
        if !before.is_empty() {
            return issued_before(conn, order, Some(&before)).await;
        }
    }
    if let Some(most) = issue.keys_per_day
        && conn.count_tries("keys-a-day", drawn.keys.len(), DAY_SECONDS, now).await? > i64::from(most)
    {
        return Err(StoreError::gave_up(WasFirst::DayIsFull));
    }
    if let Some(most) = issue.licenses_most {
        // Whoever counts holds this row until it has written: of two at one time the second counts what the first has made.
        conn.count_tries("licenses", 0, DAY_SECONDS, now).await?;
        let there = conn.license_count().await?;
        if there.saturating_add(drawn.keys.len() as u64 * products.len() as u64) > u64::from(most) {
            return Err(StoreError::gave_up(WasFirst::ServerIsFull(most)));
        }
    }
    let mut licenses = Vec::with_capacity(drawn.keys.len());
    for (key, product) in each_with_each(&drawn.keys, &products) {
        let key = product.authorization.by_key().then(|| key.clone()).or_else(|| issue.key.clone());
        let new = NewLicense {
            id: issue.id,
            product: product.id,
            key_id: key.as_ref().map(|key| base64::url(&KeyProof::key_id(key))),
            key,
            terms: Terms { seats, expiry: issue.terms.expiry.issued(now), ..issue.terms.clone() },
            customer,
            order: Some(order),
            policy,
            subscription: issue.subscription.clone(),
            note: issue.note.clone(),
        };
        let Some(id) = conn.add_license(&new, now).await? else {
            return Err(StoreError::gave_up(WasFirst::Taken(if issue.id.is_some() { "id" } else { "key" })));
        };
        if let Some(item) = &issue.item {
            conn.set_order_item(id, item).await?;
        }
        licenses.push(added(conn, id, &new, product, drawn, actor, now).await?);
    }
    if let Some(letter) = &drawn.letter {
        conn.add_message(letter, now).await?;
    }
    if let Some(id) = &form_id
        && !conn.keep_form_result(id, &form_actor, &order.to_string(), now).await?
    {
        return Err(StoreError::gave_up(WasFirst::SentTwice));
    }
    Ok(Outcome::Issued(Issued { order, order_reference: drawn.order.clone(), licenses, before: false }))
}

/// Whether an issue was given up because as many keys as the vendor lets be made in a day are made.
pub(super) fn is_day_full(why: &(dyn std::error::Error + 'static)) -> bool {
    matches!(why.downcast_ref(), Some(WasFirst::DayIsFull))
}

/// What a vendor limits of what shops may have made.
fn limited(by: Protection) -> ActError {
    ActError::Refused(Box::new(Refused { refusal: Refusal::Qlm(by), reference: String::new(), product_name: None }))
}

/// The customer with an address, made if there is none.
async fn customer_of(conn: &mut Conn, issue: &Issue, email: &Email, now: Timestamp) -> Result<CustomerId, StoreError> {
    let known = conn.customer_by_email(email).await?.filter(|_| issue.updates_customer);
    if let Some(customer) = known {
        let said = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
        let (name, company) = (said(&issue.customer_name), said(&issue.customer_company));
        let said = CustomerSaid { name: name.as_deref(), company: company.as_deref(), phone: None };
        conn.update_customer(customer.id, &customer.email, &said).await?;
    }
    conn.customer_for(email, &issue.customer_name, &issue.customer_company, now).await
}

/// Whether an air-gapped license may have these terms: those of its policy, for as many machines as it is sold for.
fn has_terms_of(terms: &Terms, policy: &Terms) -> bool {
    Terms { seats: policy.seats, ..terms.clone() } == *policy
}

/// A bundle's key is the key of each of its products.
fn each_with_each<'a>(keys: &'a [ActivationKey], products: &'a [Product]) -> Vec<(&'a ActivationKey, &'a Product)> {
    keys.iter().flat_map(|key| products.iter().map(move |product| (key, product))).collect()
}

async fn added(
    conn: &mut Conn,
    id: LicenseId,
    new: &NewLicense,
    product: &Product,
    drawn: &Drawn,
    actor: &Actor,
    now: Timestamp,
) -> Result<IssuedLicense, StoreError> {
    let mut users = Vec::new();
    for (email, hash, shown) in &drawn.users {
        if conn.add_license_user(id, email, hash, drawn.user_seats).await?.is_some() {
            users.push(IssuedUser { email: email.clone(), initial_password: shown.clone() });
        }
    }
    let entry = NewAudit {
        at: now,
        subject: Subject::license(id.0),
        act: "license.issued",
        actor: actor.clone(),
        before: None,
        after: Some(serde_json::json!({
            "product": product.code.as_str(),
            "type": new.terms.kind.as_str(),
            "seats": new.terms.seats.most(),
            "valid_until": new.terms.expiry.instant(None).map(Timestamp::to_rfc3339),
            "order": drawn.order,
            "users": users.len(),
        })),
    };
    let head = conn.audit(&entry, None);
    conn.set_audit_head(id, &head).await?;
    Ok(IssuedLicense { id, key: new.key.clone(), seats: new.terms.seats, users })
}

/// A new key of a shape.
fn made(shape: KeyShape) -> ActivationKey {
    match shape {
        KeyShape::Own => ActivationKey::from_random(random_bytes()),
        KeyShape::Qlm { letter, groups } => {
            let text = qlm::key::dashed(&qlm::key::from_random(letter, random_bytes()), groups);
            ActivationKey::parse(&text).expect("a key of letters and digits is a key")
        }
    }
}

/// The same came before: what it made then, of `only` these where they are named. Passwords are not shown again.
async fn issued_before(conn: &mut Conn, order: OrderId, only: Option<&[LicenseId]>) -> Result<Outcome, StoreError> {
    let reference = conn.order(order).await?.map(|order| order.reference).unwrap_or_default();
    let mut licenses = Vec::new();
    for (license, _) in conn.licenses_of_order(order).await? {
        if only.is_some_and(|only| !only.contains(&license.id)) {
            continue;
        }
        let users = conn.license_users(license.id).await?;
        let users =
            users.into_iter().take(HOLDERS_NAMED as usize).map(|user| IssuedUser { email: user.email, initial_password: None });
        licenses.push(IssuedLicense { id: license.id, key: license.key, seats: license.terms.seats, users: users.collect() });
    }
    Ok(Outcome::Issued(Issued { order, order_reference: reference, licenses, before: true }))
}
