//! `/vendor/products` and `/vendor/products/new`.

use leptos::prelude::*;

use crate::app::{
    shell::VendorShell,
    ui::{Button, Card, Choice, Column, Empty, Field, FormState, LinkButton, PostForm, Radios, State, Table, Tone},
    view::{VendorFrame, count},
};

use super::list::{Address, ExportLink, ListHead};

#[derive(Clone, Debug, Default)]
pub struct ProductListView {
    pub rows: Vec<ProductRow>,
}

#[derive(Clone, Debug)]
pub struct ProductRow {
    pub code: String,
    pub name: String,
    pub licenses: u64,
    /// Seats taken now.
    pub active: u64,
    pub newest_version: Option<String>,
    pub enabled: bool,
}

#[component]
pub fn ProductsPage(vendor: VendorFrame, view: ProductListView) -> impl IntoView {
    let may = vendor.staff.manages_products;
    let total = Some(view.rows.len() as u64);
    let add = move || may.then(|| view! { <LinkButton href="/vendor/products/new">"Add a product"</LinkButton> });
    let body = if view.rows.is_empty() {
        view! {
            <Empty title="Products will be listed here">
                <p>"A product is what you sell licenses of: a name, the code your app sends, and the rules for its activations."</p>
                {add()}
            </Empty>
        }
        .into_any()
    } else {
        let rows = view
            .rows
            .into_iter()
            .map(|row| {
                let (tone, state) = if row.enabled { (Tone::Good, "enabled") } else { (Tone::Caution, "paused") };
                view! {
                    <tr class="linked">
                        <td><a class="row-link" href=format!("/vendor/products/{}", row.code)>{row.name}</a><span class="sub mono">{row.code.clone()}</span><span class="sub narrow"><State tone=tone text=state/></span></td>
                        <td class="num">{count(row.licenses)}</td>
                        <td class="num">{count(row.active)}</td>
                        <td class="wide">{row.newest_version.unwrap_or_else(|| "none yet".to_owned())}</td>
                        <td class="wide"><State tone=tone text=state/></td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![
            Column::new("Product"),
            Column::new("Licenses").numeric(),
            Column::new("Machines").numeric(),
            Column::new("Newest version").wide(),
            Column::new("State").wide(),
        ];
        view! { <Table caption="Products" columns=columns>{rows}</Table> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="Products" here="/vendor/products">
            <ListHead title="Products" total=total>
                <ExportLink address=Address::new("/vendor/products") path="/vendor/products.csv"/>
                {add()}
            </ListHead>
            {body}
        </VendorShell>
    }
}

/// Fields `name`, `code`, `number`, `auth`; posts to `/vendor/products/new`; carries a request id.
#[component]
pub fn NewProductPage(vendor: VendorFrame, form: FormState) -> impl IntoView {
    let kinds = vec![
        Choice::new("key", "Activation keys").hint("Whoever has the key can use a seat."),
        Choice::new("user", "Users").hint("Each seat belongs to someone who signs in."),
        Choice::new("both", "Both"),
    ];
    view! {
        <VendorShell vendor=vendor title="Add a product" here="/vendor/products" narrow=true>
            <p class="crumb"><a href="/vendor/products">"Products"</a></p>
            <div class="page-head"><h1>"Add a product"</h1></div>
            <PostForm action="/vendor/products/new" form=form.clone()>
                <Card>
                    <Field at=form.at("name") label="Name" hint="As customers know it: Press Designer 4." maxlength=128 autofocus=true/>
                    <Field at=form.at("code") label="Code" mono=true maxlength=64 hint="Letters, digits, dots and dashes. The app sends it, and it stands in every license file: it cannot be changed later."/>
                    <Field at=form.at("number") label="Number" inputmode="numeric" optional=true short=true hint="Only for apps built for Quick License Manager, which send a product id."/>
                    <Radios at=form.at("auth") legend="Licensed by" choices=kinds/>
                </Card>
                <div class="actions"><Button>"Add the product"</Button></div>
            </PostForm>
        </VendorShell>
    }
}
