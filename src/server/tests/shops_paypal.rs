//! PayPal, which signs nothing and is asked back: what it says is paid, given back, and paid after all.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, http::Request, routing::post};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{
    Reply, TestApp,
    licensespring::OPERATOR,
    shops::{House, TERMS, ends, sample},
};
tests! {
    both:
        refunds_of_parts_come_to_the_whole_and_may_be_paid_after_all;
    once:
        it_is_asked_back_and_what_is_due_is_paid,
        what_it_passes_on_counts_where_the_vendor_lets_it,
        a_subscription_is_paid_again_and_again;
}

struct PayPal {
    house: House,
    /// What it says when it is asked back.
    says: Arc<Mutex<&'static str>>,
    heard: UnboundedReceiver<String>,
}

impl PayPal {
    async fn new(app: TestApp) -> Self {
        let house = House::new(app, "paypal", &[("PRESS-1", "&is_price=49.00&is_currency=EUR")]).await;
        house.app.secret("seller@vendor.example");
        let says = Arc::new(Mutex::new("VERIFIED"));
        let (told, heard) = tokio::sync::mpsc::unbounded_channel::<String>();
        let answer = says.clone();
        let routes = Router::new().route(
            "/cgi-bin/webscr",
            post(move |body: String| async move {
                told.send(body).unwrap();
                *answer.lock().unwrap()
            }),
        );
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/cgi-bin/webscr", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        house.app.desk().set_settings(&OPERATOR, vec![("paypalUrl".to_owned(), address)]).await.unwrap();
        Self { house, says, heard }
    }

    async fn tell(&self, body: &str) -> Reply {
        self.house.app.send(Request::post("/qlm/qlmpaypalipn.aspx").body(Body::from(body.to_owned())).unwrap()).await
    }

    /// Told, and acted on.
    async fn taken(&self, body: &str) {
        assert_eq!(self.tell(body).await.text(), "Taken.", "{:?}", self.house.last().await);
    }

    /// Told, and left for somebody to look at.
    async fn kept(&self, body: &str) -> String {
        assert!(self.tell(body).await.text().starts_with("Kept."), "{body}: {:?}", self.house.last().await);
        self.house.last().await.1
    }

    async fn replay_newest(&self) {
        let (events, _) = self.house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
        self.house.app.desk().replay_shop_event(&OPERATOR, events[0].id).await.unwrap();
    }
}

fn text(name: &str) -> String {
    String::from_utf8(sample(name)).unwrap()
}

async fn it_is_asked_back_and_what_is_due_is_paid(app: TestApp) {
    let mut paypal = PayPal::new(app).await;
    let sale = text("paypal/web_accept.form");
    // Not what PayPal sent; then for somebody else.
    *paypal.says.lock().unwrap() = "INVALID";
    assert_eq!(paypal.tell(&sale).await.status, 401);
    assert!(paypal.heard.recv().await.unwrap().starts_with("cmd=_notify-validate&txn_type=web_accept"));
    // Whoever goes on forging is not asked about, and keeps nobody else's waiting.
    for place in 1..10 {
        assert_eq!(paypal.tell(&sale).await.status, 401, "{place}");
        paypal.heard.recv().await.unwrap();
    }
    assert_eq!(paypal.tell(&sale).await.status, 503);
    assert!(paypal.heard.try_recv().is_err());
    paypal.house.app.pass_seconds(1_300);
    // What is no notification at all is not asked about either.
    for body in ["receiver_email=seller%40vendor.example".to_owned(), format!("{sale}&memo={}", "x".repeat(20_000))] {
        assert_eq!(paypal.tell(&body).await.status, 400);
    }
    assert!(paypal.heard.try_recv().is_err());
    *paypal.says.lock().unwrap() = "VERIFIED";
    assert_eq!(paypal.tell(&sale.replace("seller%40vendor", "seller%40other")).await.status, 401);
    assert_eq!(paypal.house.count().await, 0);
    // Less than is due, another currency, and nothing that is due: kept, and not acted on.
    paypal.house.property("FREE", TERMS).await;
    for (place, (from, to)) in [
        ("mc_gross=98.00", "mc_gross=97.99"),
        ("mc_currency=EUR", "mc_currency=HUF"),
        ("item_number=PRESS-1", "item_number=FREE"),
    ]
    .into_iter()
    .enumerate()
    {
        paypal.kept(&sale.replace(from, to).replace("61E67681CH3238416", &format!("TX{place}"))).await;
    }
    assert!(paypal.house.licenses().await.is_empty());
    paypal.taken(&sale.replace("payment_status=Completed", "payment_status=Pending")).await;
    assert!(paypal.house.licenses().await.is_empty());
    paypal.taken(&sale).await;
    let license = paypal.house.licenses().await.remove(0);
    assert_eq!(license.terms.seats.most(), Some(2), "what the buyer wrote into the form counts for nothing");
    // Arguments in what the buyer wrote, and a price of their own, make nothing.
    let wish = "item_number=%26is_productid%3D1%26is_majorversion%3D1%26is_minorversion%3D0%26is_price%3D0.01%26is_currency%3DEUR%26is_quantity%3D9999";
    let forged = sale
        .replace("item_number=PRESS-1", wish)
        .replace("mc_gross=98.00", "mc_gross=0.02")
        .replace("61E67681CH3238416", "TX-forged");
    paypal.kept(&forged).await;
    assert_eq!(paypal.house.licenses().await.len(), 1);
    paypal.taken(&text("paypal/cart.form")).await;
    assert_eq!(paypal.house.licenses().await.len(), 3);
}

async fn refunds_of_parts_come_to_the_whole_and_may_be_paid_after_all(app: TestApp) {
    let paypal = PayPal::new(app).await;
    let (house, refund) = (&paypal.house, text("paypal/refunded.form"));
    paypal.taken(&text("paypal/web_accept.form")).await;
    // PayPal calls the refund of a part by the same name.
    paypal.taken(&refund.replace("REF1", "REF0").replace("-98.00", "-97.99")).await;
    assert_eq!(house.last().await.1, "A part of what was paid was given back, so nothing was revoked.");
    assert!(house.enabled().await);
    // Acted on once more it is still the same part; with the rest it is the whole.
    for _ in 0..3 {
        paypal.replay_newest().await;
    }
    assert!(house.enabled().await);
    let said = paypal.kept(&refund.replace("REF1", "REF2").replace("-98.00", "-49%2C90")).await;
    assert!(said.starts_with("What was given back is no amount") && house.enabled().await);
    paypal.taken(&refund.replace("-98.00", "-0.01")).await;
    assert!(!house.enabled().await, "{:?}", house.last().await);

    // A dispute that the vendor wins: what was taken away is paid after all, once, however often it is acted on.
    let reversed = |name: &str, status: &str, amount: &str| {
        refund.replace("REF1", name).replace("payment_status=Refunded", status).replace("-98.00", amount)
    };
    paypal.taken(&reversed("WON1", "payment_status=Canceled_Reversal", "0.01")).await;
    assert!(house.enabled().await, "{:?}", house.last().await);
    assert_eq!(house.last().await.1, "One license given back.");
    for _ in 0..3 {
        paypal.replay_newest().await;
    }
    // So that one cent more is the whole again.
    paypal.taken(&reversed("REV3", "payment_status=Reversed", "-0.01")).await;
    assert!(!house.enabled().await, "{:?}", house.last().await);
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, None).await.unwrap();
    house.app.desk().replay_shop_event(&OPERATOR, events[1].id).await.unwrap();
    assert!(!house.enabled().await, "{:?}", house.last().await);
    // What staff disabled, no shop gives back.
    let id = house.licenses().await[0].id;
    house.app.desk().enable_license(&OPERATOR, id).await.unwrap();
    house.app.desk().disable_license(&OPERATOR, id, "Shared".to_owned()).await.unwrap();
    let said = paypal.kept(&reversed("WON3", "payment_status=Canceled_Reversal", "0.01")).await;
    assert!(!house.enabled().await && said.contains("disabled by somebody else"), "{said}");
}

async fn what_it_passes_on_counts_where_the_vendor_lets_it(app: TestApp) {
    let paypal = PayPal::new(app).await;
    let (house, sale) = (&paypal.house, text("paypal/web_accept.form"));
    let set = async |value: &str| {
        house.app.desk().set_settings(&OPERATOR, vec![("ignoreCustomArgument".to_owned(), value.to_owned())]).await.unwrap();
    };
    set("false").await;
    let custom = "custom=is_userdata1%3DS-1%26is_price%3D0.01%26is_productid%3D9%26is_user%3Dx%26is_quantity%3D999\
                  %26is_numberofactivationsperkey%3D999%26is_additionalactivations%3D999";
    // For what the product's own property leaves open.
    let passed = sale.replace("custom=is_quantity%3D999", custom).replace("61E67681CH3238416", "TX-custom");
    paypal.taken(&passed).await;
    let license = house.licenses().await.pop().unwrap();
    assert_eq!((license.terms.qlm.unwrap().user_data.as_str(), license.terms.seats.most()), ("S-1", Some(2)));
    // A price is the vendor's to say.
    paypal.kept(&passed.replace("TX-custom", "TX-cheap").replace("mc_gross=98.00", "mc_gross=0.02")).await;
    // Also where its own property says none.
    house.property("FREE", TERMS).await;
    let free = passed.replace("TX-custom", "TX-free").replace("item_number=PRESS-1", "item_number=FREE");
    let free = free.replace("%26is_price%3D0.01", "%26is_price%3D0.01%26is_currency%3DEUR");
    assert!(paypal.kept(&free).await.starts_with("Say in this product’s property what is due"));
    set("true").await;
    paypal.taken(&passed.replace("TX-custom", "TX-again")).await;
    assert_eq!(house.licenses().await.pop().unwrap().terms.qlm.unwrap().user_data, "");
}

async fn a_subscription_is_paid_again_and_again(app: TestApp) {
    let paypal = PayPal::new(app).await;
    let house = &paypal.house;
    // The first payment makes keys, and the next extends them.
    house.property("PRESS-SUB", &format!("{TERMS}&is_expduration=31&is_price=5&is_currency=EUR")).await;
    let first = text("paypal/subscr_payment.form");
    paypal.taken(&first).await;
    let before = ends(&house.licenses().await[0]);
    paypal.taken(&first.replace("txn_id=SP1", "txn_id=SP2")).await;
    let all = house.licenses().await;
    assert!(all.len() == 1 && ends(&all[0]) > before, "{before} {}", ends(&all[0]));
    // Nor does the same payment under another event's name: it has a number of its own.
    paypal
        .taken(&first.replace("txn_id=SP1", "txn_id=SP2").replace("payment_status=Completed", "payment_status=COMPLETED"))
        .await;
    assert_eq!((house.count().await, ends(&house.licenses().await[0])), (3, ends(&all[0])));
    // A later payment of less than is due gives no time; nor does one that is acted on again.
    paypal.kept(&first.replace("txn_id=SP1", "txn_id=SP3").replace("mc_gross=5.00", "mc_gross=0.01")).await;
    let (events, _) = house.app.desk().shop_events(&OPERATOR, None, Some("done")).await.unwrap();
    let renewal = events.iter().find(|event| event.name.starts_with("SP2")).unwrap().id;
    house.app.desk().replay_shop_event(&OPERATOR, renewal).await.unwrap();
    assert_eq!(ends(&house.licenses().await[0]), ends(&all[0]));
}
