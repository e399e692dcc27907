//! `/vendor/shops`: who may tell of orders, what their products are here, what they told, and what would come of it.

use leptos::prelude::*;

use super::{
    list::Address,
    settings::{SettingsTab, SettingsTabs},
};
use crate::{
    app::{
        shell::VendorShell,
        ui::{
            Button, Card, Chip, Chips, Choice, Column, CopyFrom, Dialog, DialogLink, Empty, Fact, Facts, Field, FormState, Kind,
            Lines, LinkButton, Notice, Pager, PostButton, PostForm, Select, State, Table, Tick, Tone, When,
        },
        view::VendorFrame,
    },
    licensing::Timestamp,
};

#[derive(Clone, Debug)]
pub struct ShopsView {
    pub shops: Vec<ShopRow>,
    pub properties: Vec<PropertyRow>,
    /// Fields `name`, `class`, `user`, `password`, `shared_key`, `api_key`; posts to `/vendor/shops`.
    pub form: FormState,
    /// Each kind, and what people call it.
    pub classes: Vec<(String, String)>,
    /// Fields `name`, `value`, `for_calls`; posts to `/vendor/shops/properties`.
    pub property: FormState,
    /// Events that could not be acted on.
    pub failed: usize,
}

#[derive(Clone, Debug)]
pub struct ShopRow {
    pub name: String,
    pub class: String,
    pub enabled: bool,
    /// How it proves who it is: "signs what it sends".
    pub proof: String,
}

#[derive(Clone, Debug)]
pub struct PropertyRow {
    pub name: String,
    pub value: String,
    pub for_calls: bool,
}

#[component]
pub fn ShopsPage(vendor: VendorFrame, view: ShopsView) -> impl IntoView {
    let ShopsView { shops, properties, form, classes, property, failed } = view;
    let may = vendor.staff.manages_settings;
    let shops = if shops.is_empty() {
        view! { <Empty title="No shop yet"><p>"Add the shop or the site that sells for you. It then calls this server as it called a Quick License Manager server, or sends its webhooks here."</p></Empty> }.into_any()
    } else {
        let rows = shops
            .into_iter()
            .map(|row| {
                let (tone, state) = if row.enabled { (Tone::Good, "on") } else { (Tone::Refused, "off") };
                view! {
                    <tr class="linked">
                        <td><a class="row-link" href=format!("/vendor/shops/{}", row.name)>{row.name.clone()}</a>{(!row.class.eq_ignore_ascii_case(&row.name)).then(|| view! { <span class="sub">{row.class}</span> })}</td>
                        <td><State tone=tone text=state/></td>
                        <td class="wide">{row.proof}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("Shop"), Column::new("State"), Column::new("Proves itself by").wide()];
        view! { <Table caption="Shops" columns=columns>{rows}</Table> }.into_any()
    };
    let properties = if properties.is_empty() {
        view! { <Empty title="No product is mapped yet"><p>"A property says what a product of a shop is here: its name is the shop’s, such as shopify_4711 or a SKU, its value the arguments of the license."</p></Empty> }.into_any()
    } else {
        let rows = properties
            .into_iter()
            .enumerate()
            .map(|(place, row)| {
                let dialog = format!("remove-property-{place}");
                let title = format!("Remove {}?", row.name);
                let action = format!("/vendor/shops/properties/{}/remove", segment(&row.name));
                view! {
                    <tr>
                        <td><span class="mono">{row.name}</span><span class="sub mono breaks">{row.value}</span>{row.for_calls.then(|| view! { <span class="sub">"Calls may name it."</span> })}</td>
                        <td class="num">{may.then(|| view! {
                            <DialogLink opens=dialog.clone() kind=Kind::Quiet>"Remove…"</DialogLink>
                            <Dialog id=dialog title=title cancel="/vendor/shops">
                                <p>"Orders of this product are kept, and not acted on, until there is one again."</p>
                                <div class="actions"><PostButton action=action kind=Kind::Danger>"Remove it"</PostButton></div>
                            </Dialog>
                        })}</td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("At the shop, and here"), Column::new("Remove").numeric()];
        view! { <Table caption="Properties" columns=columns>{rows}</Table> }.into_any()
    };
    let forms = may.then(|| {
        let choices = classes.into_iter().map(|(class, label)| Choice::new(class, label)).collect();
        view! {
            <Card title="Add a shop">
                <PostForm action="/vendor/shops" form=form.clone()>
                    <Field at=form.at("name") label="Name" maxlength=128 autocomplete="off" hint="What its calls say as is_vendor. Often the kind’s own name."/>
                    <Select at=form.at("class") label="Kind" choices=choices/>
                    <Field at=form.at("user") label="User" optional=true maxlength=200 autocomplete="off" hint="What its calls say as is_user. For PayPal, the address that is paid."/>
                    <Field at=form.at("password") label="Password" kind="password" optional=true maxlength=200 autocomplete="new-password" hint="What its calls say as is_pwd: 12 characters at least."/>
                    <Field at=form.at("shared_key") label="Shared key" kind="password" optional=true maxlength=400 autocomplete="off" hint="What its webhooks are signed with."/>
                    <Field at=form.at("api_key") label="API key" kind="password" optional=true maxlength=400 autocomplete="off" hint="What this server shows when it asks the shop for more."/>
                    <div class="actions"><Button>"Add the shop"</Button></div>
                </PostForm>
            </Card>
            <Card title="Map a product">
                <PostForm action="/vendor/shops/properties" form=property.clone()>
                    <Field at=property.at("name") label="Name at the shop" mono=true maxlength=200 autocomplete="off" hint="Such as shopify_4711, stripe_price_42 or a SKU. An order that names none of yours says which it looked for."/>
                    <Field at=property.at("value") label="What it is here" mono=true maxlength=4000 autocomplete="off" hint="Arguments: is_productid=1&is_majorversion=1&is_minorversion=0&is_expduration=365"/>
                    <Tick at=property.at("for_calls") label="Calls may name it (is_args)" hint="Whoever may call then chooses among such properties."/>
                    <div class="actions"><Button>"Keep the property"</Button></div>
                </PostForm>
            </Card>
        }
    });
    let failed = (failed > 0).then(|| {
        view! {
            <Notice tone=Tone::Caution title="Some of what shops told waits for you">
                <p>"It is kept, and could not be acted on. "<a href="/vendor/shops/events?state=failed">"See what stood in the way"</a>"."</p>
            </Notice>
        }
    });
    view! {
        <VendorShell vendor=vendor title="Shops" here="/vendor/settings">
            <div class="page-head"><h1>"Settings"</h1></div>
            <SettingsTabs here=SettingsTab::Shops/>
            {failed}
            <div class="sides">
                <div>
                    <div class="page-head"><h2>"Shops"</h2><div class="actions"><LinkButton href="/vendor/shops/events" kind=Kind::Plain>"What they told"</LinkButton></div></div>
                    {shops}
                    <h2>"Products of shops"</h2>
                    {properties}
                </div>
                <div>{forms}</div>
            </div>
        </VendorShell>
    }
}

/// A name as one part of an address.
#[must_use]
pub fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[derive(Clone, Debug)]
pub struct ShopView {
    pub name: String,
    pub class: String,
    pub enabled: bool,
    pub proof: String,
    /// Where its webhooks go, by its name.
    pub webhook: String,
    pub has_address: bool,
    /// It was made now, and is shown once.
    pub address: Option<String>,
    /// Fields `password`, `shared_key`, `api_key`; posts to `/vendor/shops/NAME/keys`.
    pub keys: FormState,
    /// Field `affiliate`; posts to `/vendor/shops/NAME/reseller`.
    pub reseller: FormState,
    /// It shows a password, and the methods that make keys are switched off.
    pub makes_no_keys: bool,
    /// Fields `map`, `payload`, `headers`; posts to `/vendor/shops/NAME/map`, with `act` save or try.
    pub bench: FormState,
    pub own_map: bool,
    /// What would come of the payload.
    pub tried: Option<Vec<Result<String, String>>>,
}

#[component]
pub fn ShopPage(vendor: VendorFrame, view: ShopView) -> impl IntoView {
    let may = vendor.staff.manages_settings;
    let path = format!("/vendor/shops/{}", segment(&view.name));
    let (map_path, keys_path, address_path) = (format!("{path}/map"), format!("{path}/keys"), format!("{path}/address"));
    let (tone, state) = if view.enabled { (Tone::Good, "on") } else { (Tone::Refused, "off") };
    let switch = may.then(|| {
        let (act, words) = if view.enabled { ("off", "Switch it off") } else { ("on", "Switch it on") };
        view! { <PostButton action=format!("{path}/{act}") kind=Kind::Plain>{words}</PostButton> }
    });
    let tried = view.tried.map(|lines| {
        let lines = lines
            .into_iter()
            .map(|line| match line {
                Ok(text) => view! { <li><State tone=Tone::Good text="would be done"/>" "{text}</li> },
                Err(text) => view! { <li><State tone=Tone::Refused text="stands in the way"/>" "{text}</li> },
            })
            .collect_view();
        view! { <Card title="What would come of it"><ul class="stack" role="list" id="tried">{lines}</ul><p class="hint">"Nothing was written."</p></Card> }
    });
    let address = match view.address {
        Some(address) => view! {
            <Notice tone=Tone::Good title="The new address">
                <p>"It is shown once. Give it to the shop; the one before is nobody’s any more."</p>
                <pre class="code-box" id="shop-address" tabindex="0">{address}</pre>
                <div class="actions"><CopyFrom from="shop-address" label="Copy the address"/></div>
            </Notice>
        }
        .into_any(),
        None => ().into_any(),
    };
    let new_address = may.then(|| {
        let words = if view.has_address { "New secret address…" } else { "Make a secret address…" };
        view! {
            <DialogLink opens="new-address" kind=Kind::Plain>{words}</DialogLink>
            <Dialog id="new-address" title="Make a secret address?" cancel=path.clone()>
                <p>"For a shop that signs nothing and cannot show a password: whoever knows the address tells of orders. The address before, if there is one, stops working at once."</p>
                <div class="actions"><PostButton action=address_path>"Make it"</PostButton></div>
            </Dialog>
        }
    });
    let off = view.makes_no_keys.then(|| {
        view! {
            <Notice tone=Tone::Caution title="Its calls make no keys yet">
                <p>"Whoever shows its password may have keys made once "<a href="/vendor/settings/all?edit=enableGetActivationKey">"enableGetActivationKey"</a>" is on. Webhooks that are signed need no switch."</p>
            </Notice>
        }
    });
    let bench = view.bench;
    let (keys, reseller, reseller_path) = (view.keys, view.reseller, format!("{path}/reseller"));
    view! {
        <VendorShell vendor=vendor title=view.name.clone() here="/vendor/settings">
            <p class="crumb"><a href="/vendor/shops">"Shops"</a></p>
            <div class="page-head"><h1><bdi>{view.name}</bdi></h1><State tone=tone text=state/><div class="actions">{switch}</div></div>
            {address}
            {off}
            <div class="sides">
                <div>
                    {tried}
                    <Card title="How its words are read">
                        <p class="hint">{if view.own_map { "This map is yours. Empty it and save to go back to the one this kind has from the start." } else { "This is the map the kind has from the start. Change it, and it is yours." }}</p>
                        <PostForm action=map_path form=bench.clone()>
                            <Lines mono=true at=bench.at("map") label="Map" hint="Rules in JSON: the first that fits an event says what it does and where its parts stand. docs/shops.md explains each member." optional=true rows=14/>
                            <Lines mono=true at=bench.at("payload") label="A payload to try" hint="The body of a webhook: JSON, a form or XML." optional=true rows=8/>
                            <Lines mono=true at=bench.at("headers") label="Its headers" hint="One a line, such as x-shopify-topic: orders/paid" optional=true rows=3/>
                            {may.then(|| view! {
                                <div class="actions">
                                    <Button name="act" value="try">"Try it out"</Button>
                                    <Button name="act" value="save" kind=Kind::Plain>"Save the map"</Button>
                                </div>
                            })}
                        </PostForm>
                    </Card>
                </div>
                <div>
                    <Card title="Where it calls">
                        <Facts>
                            <Fact name="Kind">{view.class}</Fact>
                            <Fact name="Proves itself by">{view.proof}</Fact>
                            <Fact name="Webhooks"><span class="mono breaks">{view.webhook}</span></Fact>
                            <Fact name="Secret address">{if view.has_address { "there is one" } else { "none" }}</Fact>
                        </Facts>
                        <div class="actions">{new_address}</div>
                    </Card>
                    {may.then(|| view! {
                        <Card title="Keys">
                            <p class="hint">"What is left empty stays as it is. None is ever shown."</p>
                            <PostForm action=keys_path form=keys.clone()>
                                <Field at=keys.at("shared_key") label="Shared key" kind="password" optional=true maxlength=400 autocomplete="off" hint="What its webhooks are signed with."/>
                                <Field at=keys.at("api_key") label="API key" kind="password" optional=true maxlength=400 autocomplete="off" hint="What this server shows when it asks the shop for more."/>
                                <Field at=keys.at("password") label="Password" kind="password" optional=true maxlength=200 autocomplete="new-password"/>
                                <div class="actions"><Button kind=Kind::Plain>"Keep them"</Button></div>
                            </PostForm>
                        </Card>
                        <Card title="Reseller">
                            <PostForm action=reseller_path form=reseller.clone()>
                                <Field at=reseller.at("affiliate") label="Sells as" optional=true maxlength=128 autocomplete="off" hint="It then sees and changes what it sells from now on, and nothing else: what was sold before stays yours. Empty: it is your own shop, and reaches every license."/>
                                <div class="actions"><Button kind=Kind::Plain>"Save"</Button></div>
                            </PostForm>
                        </Card>
                    })}
                </div>
            </div>
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct EventsView {
    /// `/vendor/shops/events` with `state` and `before`.
    pub address: Address,
    pub rows: Vec<ShopEventRow>,
    pub older: Option<String>,
    pub now: Timestamp,
}

#[derive(Clone, Debug)]
pub struct ShopEventRow {
    pub id: i64,
    pub shop: String,
    pub said: String,
    pub state: (Tone, &'static str),
    pub at: Timestamp,
}

#[component]
pub fn ShopEventsPage(vendor: VendorFrame, view: EventsView) -> impl IntoView {
    let EventsView { address, rows, older, now } = view;
    let state = address.value("state").to_owned();
    let chips = [("", "All"), ("failed", "Waiting for you"), ("done", "Done"), ("ignored", "None of ours")]
        .map(|(value, label)| Chip::new(label, address.clone().with("state", value).href(), state == value))
        .to_vec();
    let shown = format!("{} on this page", rows.len());
    let body = if rows.is_empty() {
        view! { <Empty title="Nothing was told"><p>"Every webhook of a shop is listed here as it came, with what became of it. What could not be acted on can be acted on again once what stood in the way is mended."</p></Empty> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .map(|row| {
                view! {
                    <tr class="linked">
                        <td><a class="row-link" href=format!("/vendor/shops/events/{}", row.id)>{row.said}</a><span class="sub"><bdi>{row.shop}</bdi></span></td>
                        <td><State tone=row.state.0 text=row.state.1/></td>
                        <td class="wide"><When at=row.at now=now/></td>
                    </tr>
                }
            })
            .collect_view();
        let columns = vec![Column::new("What became of it"), Column::new("State"), Column::new("Received").wide()];
        view! { <Table caption="Events of shops" columns=columns>{rows}</Table> }.into_any()
    };
    view! {
        <VendorShell vendor=vendor title="What shops told" here="/vendor/settings">
            <p class="crumb"><a href="/vendor/shops">"Shops"</a></p>
            <div class="page-head"><h1>"What shops told"</h1></div>
            <div class="filters"><Chips label="State" chips=chips/></div>
            {body}
            {older.map(|before| view! { <Pager shown=shown previous=None next=Some(address.with("before", before).href())/> })}
        </VendorShell>
    }
}

#[derive(Clone, Debug)]
pub struct ShopEventView {
    pub id: i64,
    pub shop: String,
    pub name: String,
    pub said: String,
    pub state: (Tone, &'static str),
    pub received: Timestamp,
    pub acted: Timestamp,
    /// The order that was made or changed: its id and number.
    pub order: Option<(i64, String)>,
    pub headers: String,
    pub body: String,
    pub now: Timestamp,
}

#[component]
pub fn ShopEventPage(vendor: VendorFrame, view: ShopEventView) -> impl IntoView {
    let now = view.now;
    let shop = format!("/vendor/shops/{}", segment(&view.shop));
    view! {
        <VendorShell vendor=vendor title="What a shop told" here="/vendor/settings" narrow=true>
            <p class="crumb"><a href="/vendor/shops/events">"What shops told"</a></p>
            <div class="page-head"><h1>{format!("What {} told", view.shop)}</h1><State tone=view.state.0 text=view.state.1/><div class="actions">
                <PostButton action=format!("/vendor/shops/events/{}/again", view.id) kind=Kind::Plain>"Act on it again"</PostButton>
            </div></div>
            <Notice tone=view.state.0 title="What became of it"><p>{view.said}</p></Notice>
            <Card title="The event">
                <Facts>
                    <Fact name="Shop"><a href=shop><bdi>{view.shop.clone()}</bdi></a></Fact>
                    <Fact name="Its name there"><span class="mono breaks">{view.name}</span></Fact>
                    <Fact name="Received"><When at=view.received now=now/></Fact>
                    <Fact name="Acted on"><When at=view.acted now=now/></Fact>
                    {view.order.map(|(id, number)| view! { <Fact name="Order"><a href=format!("/vendor/orders/{id}")>{number}</a></Fact> })}
                </Facts>
            </Card>
            <Card title="As it came">
                {(!view.headers.is_empty()).then(|| view! { <pre class="code-box" tabindex="0">{view.headers.clone()}</pre> })}
                <pre class="code-box" tabindex="0">{view.body}</pre>
            </Card>
        </VendorShell>
    }
}
