//! `order` and `customer`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    Place,
    license::row_value,
    outcome::{CliError, Done, facts, not_found, table},
    parse,
};
use crate::{
    desk::Visitor,
    licensing::{ActivationKey, Email, ProductCode, Timestamp},
};

const PAGE: i64 = 200;

#[derive(Subcommand)]
pub(super) enum OrderCommand {
    /// Orders, newest first
    List {
        /// The beginning of a reference, or part of an e-mail address
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        limit: Option<u32>,
    },
    /// An order and its licenses
    Show { reference: String },
}

pub(super) async fn run_order(place: &Place, command: OrderCommand) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        OrderCommand::List { search, limit } => {
            let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            let mut orders = Vec::new();
            let mut after = None;
            loop {
                let page = desk.orders(&Visitor::Operator, search.as_deref(), after, PAGE).await?;
                orders.extend(page.rows);
                after = page.next.and_then(|next| next.parse().ok());
                if after.is_none() || orders.len() >= most {
                    break;
                }
            }
            orders.truncate(most);
            let all = orders.iter().map(|order| {
                json!({
                    "id": order.id.0,
                    "reference": order.reference,
                    "provider": order.provider,
                    "status": order.status,
                    "customer": order.customer,
                    "licenses": order.licenses,
                    "ordered": order.ordered.to_rfc3339(),
                })
            });
            let all: Value = all.collect();
            let rows: Vec<_> = orders
                .into_iter()
                .map(|order| {
                    vec![
                        order.reference,
                        order.provider,
                        order.customer.unwrap_or_default(),
                        order.licenses.to_string(),
                        order.ordered.date().to_string(),
                    ]
                })
                .collect();
            Ok(Done::new(all, table(&["reference", "from", "customer", "licenses", "ordered"], &rows)))
        }
        OrderCommand::Show { reference } => {
            let none = not_found("There is no order with this reference.");
            let view = desk.order(&Visitor::Operator, reference.trim()).await.map_err(none)?;
            let customer = view.customer.as_ref().map(|customer| customer.email.to_string());
            let licenses = view.licenses.iter().map(|(license, product)| {
                json!({
                    "id": license.id.0,
                    "key": license.key.as_ref().map(ActivationKey::text),
                    "product": product.code.as_str(),
                    "state": license.state.as_str(),
                    "seats": license.terms.seats.most(),
                    "seats_taken": license.seats_taken,
                    "valid_until": license.valid_until().map(Timestamp::to_rfc3339),
                })
            });
            let value = json!({
                "id": view.order.id.0,
                "reference": view.order.reference,
                "provider": view.order.provider,
                "status": view.order.status,
                "customer": customer,
                "ordered": view.order.ordered.to_rfc3339(),
                "licenses": licenses.collect::<Value>(),
            });
            let rows: Vec<_> = view
                .licenses
                .iter()
                .map(|(license, product)| {
                    let key = license.key.as_ref().map(ActivationKey::text).unwrap_or_default();
                    vec![license.id.to_string(), key, product.code.to_string(), license.state.as_str().to_owned()]
                })
                .collect();
            let head = facts(&[
                ("Order", view.order.reference),
                ("From", view.order.provider),
                ("Customer", customer.unwrap_or_default()),
                ("Ordered", view.order.ordered.date().to_string()),
            ]);
            Ok(Done::new(value, format!("{head}\n{}", table(&["id", "key", "product", "state"], &rows))))
        }
    }
}

#[derive(Subcommand)]
pub(super) enum CustomerCommand {
    /// Everyone with an order or a license
    List,
    /// A customer and their licenses
    Show {
        #[arg(value_parser = parse::email)]
        email: Email,
    },
    /// Note a customer's mobile phone, where codes may go as well
    Phone {
        #[arg(value_parser = parse::email)]
        email: Email,
        /// With its country, such as +15005550006, or none
        phone: String,
    },
    /// Put a customer into an account
    Account {
        #[arg(value_parser = parse::email)]
        email: Email,
        /// The account's code, or none
        account: String,
    },
}

pub(super) async fn run_customer(place: &Place, command: CustomerCommand) -> Result<Done, CliError> {
    let desk = place.open().await?;
    match command {
        CustomerCommand::List => {
            let mut all = Vec::new();
            loop {
                let after = all.last().map_or(0, |customer: &crate::store::Customer| customer.id.0);
                let page = desk.customers(&Visitor::Operator, after, PAGE).await?;
                let last = page.len() < usize::try_from(PAGE).unwrap_or(0);
                all.extend(page);
                if last {
                    break;
                }
            }
            let value = all.iter().map(customer_value).collect();
            let row = |customer: crate::store::Customer| {
                vec![customer.email.to_string(), customer.name, customer.company, customer.created.date().to_string()]
            };
            let rows: Vec<_> = all.into_iter().map(row).collect();
            Ok(Done::new(value, table(&["e-mail", "name", "company", "since"], &rows)))
        }
        CustomerCommand::Phone { email, phone } => {
            let phone = Some(phone.as_str()).filter(|phone| *phone != "none");
            let none = not_found("There is no customer with this e-mail address.");
            desk.set_customer_phone(&Visitor::Operator, &email, phone).await.map_err(none)?;
            let text = match phone {
                Some(phone) => format!("Codes for {email} may go to {phone} as well."),
                None => format!("{email} has no phone here."),
            };
            Ok(Done::new(json!({ "email": email.as_str(), "phone": phone }), text))
        }
        CustomerCommand::Account { email, account } => {
            let code = match account.as_str() {
                "none" => None,
                text => Some(parse::code(text).map_err(|message| CliError::refused("bad_field", message))?),
            };
            let none = not_found("There is no customer with this e-mail address.");
            desk.set_account(&Visitor::Operator, &email, code.as_ref()).await.map_err(none)?;
            let text = match &code {
                Some(code) => format!("{email} is in the account {code}."),
                None => format!("{email} is in no account."),
            };
            Ok(Done::new(json!({ "email": email.as_str(), "account": code.as_ref().map(ProductCode::as_str) }), text))
        }
        CustomerCommand::Show { email } => {
            let none = not_found("There is no customer with this e-mail address.");
            let (customer, licenses) = desk.customer(&Visitor::Operator, &email).await.map_err(none)?;
            let mut value = customer_value(&customer);
            value["licenses"] = licenses.iter().map(row_value).collect();
            let rows: Vec<_> = licenses
                .iter()
                .map(|row| {
                    vec![row.id.to_string(), row.key.clone().unwrap_or_default(), row.product_code.clone(), row.state.clone()]
                })
                .collect();
            let head = facts(&[
                ("Customer", customer.email.to_string()),
                ("Name", customer.name),
                ("Company", customer.company),
                ("Account", customer.account.map(|account| account.code.to_string()).unwrap_or_default()),
                ("Since", customer.created.date().to_string()),
            ]);
            Ok(Done::new(value, format!("{head}\n{}", table(&["id", "key", "product", "state"], &rows))))
        }
    }
}

fn customer_value(customer: &crate::store::Customer) -> Value {
    json!({
        "id": customer.id.0,
        "email": customer.email.as_str(),
        "name": customer.name,
        "company": customer.company,
        "account": customer.account.as_ref().map(|account| account.code.as_str()),
        "created": customer.created.to_rfc3339(),
    })
}
