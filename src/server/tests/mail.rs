//! Mail, and what customers do by it: codes instead of keys, lost keys, what they agree to.

use axum::http::Request;

use super::{Licensed, Reply, TestApp, app::urlencoded, licensespring::OPERATOR, post_office::PostOffice};
use crate::{
    desk::{Issue, ProductEdit, Role},
    licensing::{
        Email,
        issue::Quantities,
        license::{Limit, Terms},
        product::{Authorization, ProductRules},
    },
};

tests! {
    both:
        a_code_from_the_mail_activates_one_computer_once,
        an_app_activates_by_a_code_and_validates_by_the_key_it_was_given,
        a_letter_is_sent_once_and_tried_again_for_a_while;
    once:
        nobody_learns_whether_an_address_is_known,
        asking_often_tells_nothing_either,
        a_code_is_over_after_its_time_its_tries_or_a_newer_one,
        codes_are_asked_for_and_tried_only_so_often,
        an_address_has_ten_codes_and_twenty_wrong_tries_a_day,
        who_has_no_license_to_be_had_is_told_by_mail_why,
        without_a_mail_server_staff_reads_what_would_be_sent,
        passwords_among_the_settings_are_kept_and_never_shown,
        keys_are_sent_to_their_customer_and_shown_to_nobody_else,
        a_customer_agrees_by_a_link_and_takes_it_back_without_one,
        a_trial_that_is_asked_for_goes_to_its_address_once,
        a_code_goes_to_the_phone_where_the_vendor_says_so,
        an_app_sets_what_is_its_own_once_its_code_is_shown,
        letters_have_the_vendors_own_words;
}

const ANN: &str = "ann@customer.example";
const COMPUTER: &str = "HW-1";

/// A product by number and code, and a customer's license of it.
struct House {
    app: TestApp,
    license: Licensed,
}

impl House {
    async fn new(app: TestApp, seats: u32) -> Self {
        app.secret(ANN);
        let rules = ProductRules { min_hold_hours: 0, ..ProductRules::default() };
        let code = app.product_by("press", Authorization::Key, rules).await;
        let edit = ProductEdit { number: Some(Some(1)), ..ProductEdit::default() };
        app.desk().edit_product(&OPERATOR, &code, edit).await.unwrap();
        let quantities = Quantities { activations_per_key: Some(seats), ..Quantities::default() };
        let terms = Terms { seats: Limit::AtMost(seats), ..Terms::default() };
        let license =
            app.issue_as(Issue { customer: Some(Email::parse(ANN).unwrap()), quantities, ..Issue::one(code, terms) }).await;
        Self { app, license }
    }

    async fn set(&self, values: &[(&str, &str)]) {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.app.desk().set_settings(&OPERATOR, values).await.unwrap();
    }

    /// The settings of an office that takes mail.
    async fn with_office(&self) -> PostOffice {
        let (office, port) = PostOffice::open().await;
        let server = format!("127.0.0.1:{port}");
        self.set(&[("smtpServer", &server), ("smtpSecurity", "none"), ("mailFrom", "shop@vendor.example")]).await;
        self.app.secret("shop@vendor.example");
        office
    }

    async fn ask(&self, email: &str, computer: &str) -> Reply {
        self.app.post("/activate/code", &[("email", email), ("product", "press"), ("device_id", computer)]).await
    }

    async fn confirm(&self, code: &str, more: &[(&str, &str)]) -> Reply {
        let mut fields = vec![("email", ANN), ("product", "press"), ("device_id", COMPUTER), ("code", code)];
        for (name, value) in more {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.app.post("/activate/code/confirm", &fields).await
    }

    /// The code that was sent last.
    async fn code(&self, office: &PostOffice) -> String {
        self.app.desk().send_messages().await.unwrap();
        let letter = office.letters().pop().unwrap();
        assert_eq!(letter.to, ANN);
        let code = letter.text.split("Your code is ").nth(1).unwrap()[..6].to_owned();
        assert!(code.bytes().all(|b| b.is_ascii_digit()), "{code}");
        self.app.secret(code.clone());
        code
    }

    async fn qlm(&self, method: &str, arguments: &[(&str, &str)]) -> String {
        let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0")];
        let request = Request::post(format!("/qlm/qlmservice.asmx/{method}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.app.send(request.body(urlencoded(&[&product[..], arguments].concat())).unwrap()).await.text()
    }
}

async fn a_code_from_the_mail_activates_one_computer_once(app: TestApp) {
    let house = House::new(app, 2).await;
    let office = house.with_office().await;
    let asked = house.ask(ANN, COMPUTER).await;
    assert!(asked.status == 200 && asked.text().contains("Code from the mail"), "{}", asked.text());
    let code = house.code(&office).await;
    let letter = office.letters().pop().unwrap();
    assert!(!letter.text.contains(COMPUTER), "whoever asks names the computer, so no letter repeats it");
    assert!(letter.headers.contains("From: Countersign <shop@vendor.example>"), "{}", letter.headers);
    // For no other computer, address or product.
    for more in [[("device_id", "HW-2")], [("email", "eve@customer.example")], [("product", "tp")]] {
        let reply = house.confirm(&code, &more).await;
        assert_eq!(reply.status, 422, "{more:?}");
    }
    assert_eq!(house.app.seats_taken(&house.license).await, 0);
    let done = house.confirm(&format!(" {} {} ", &code[..3], &code[3..]), &[("request_id", "request-number-one")]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let page = house.app.get(done.location()).await;
    assert!(page.status == 200 && page.text().contains("is ready on this computer"), "{}", page.text());
    assert_eq!(house.app.seats_taken(&house.license).await, 1);
    // The same form sent twice ends on the same page; another with the same code does not.
    let again = house.confirm(&format!(" {} {} ", &code[..3], &code[3..]), &[("request_id", "request-number-one")]).await;
    assert_eq!((again.status, again.location()), (done.status, done.location()));
    assert_eq!(house.confirm(&code, &[("request_id", "request-number-two")]).await.status, 422);
    assert_eq!(house.app.seats_taken(&house.license).await, 1);
    // Two at one time are one.
    house.app.pass_seconds(61);
    house.ask(ANN, "HW-3").await;
    let code = house.code(&office).await;
    let third = [("device_id", "HW-3")];
    let (one, two) = tokio::join!(house.confirm(&code, &third), house.confirm(&code, &third));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses == [303, 303] || statuses == [303, 422], "{statuses:?}");
    assert_eq!(house.app.seats_taken(&house.license).await, 2);
}

async fn an_app_activates_by_a_code_and_validates_by_the_key_it_was_given(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    let asked = house.qlm("RequestAuthorizationCodeForActivationHttp", &[("is_email", ANN), ("is_pcid", "My Desktop")]).await;
    assert!(asked.contains("<result>If there is a license") && asked.contains("</Signature></QuickLicenseManager>"), "{asked}");
    let unknown =
        house.qlm("RequestAuthorizationCodeForActivationHttp", &[("is_email", "eve@a.example"), ("is_pcid", "My Desktop")]).await;
    assert_eq!(asked, unknown, "to the last byte");
    let code = house.code(&office).await;
    assert_eq!(office.letters().len(), 1);
    let method = "ActivateKeyByAuthorizationCodeHttp";
    let number = |text: &str| text.split("<errorCode>").nth(1).and_then(|rest| rest.split('<').next()).map(str::to_owned);
    for wrong in [
        vec![("is_authcode", "000000"), ("is_pcid", COMPUTER), ("is_email", ANN)],
        // Bound to the computer it was asked for.
        vec![("is_authcode", &*code), ("is_pcid", COMPUTER), ("is_email", ANN)],
        vec![("is_authcode", &*code), ("is_pcid", COMPUTER), ("is_computer_name", "Another")],
    ] {
        assert_eq!(number(&house.qlm(method, &wrong).await).as_deref(), Some("8"), "{wrong:?}");
    }
    // By the computer's name, without the address.
    let text = house.qlm(method, &[("is_authcode", &code), ("is_pcid", COMPUTER), ("is_computer_name", "my desktop")]).await;
    assert!(text.contains("<status>2</status>") && text.contains(&format!("<userEmail>{ANN}</userEmail>")), "{text}");
    let key = text.split("<pckey>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    // And later by that key, as long as the seat is theirs.
    assert!(house.qlm(method, &[("is_pckey", &key), ("is_pcid", COMPUTER)]).await.contains("<status>2</status>"));
    assert_eq!(number(&house.qlm(method, &[("is_pckey", "UXXXX"), ("is_pcid", COMPUTER)]).await).as_deref(), Some("219"));
    assert_eq!(number(&house.qlm(method, &[("is_authcode", &code), ("is_pcid", COMPUTER)]).await).as_deref(), Some("8"));
    assert_eq!(number(&house.qlm(method, &[("is_pcid", COMPUTER)]).await).as_deref(), Some("208"));
    // Staff freed the computer: its old key is none any more, and beside a new code it is in nobody's way.
    house.app.desk().release_device(&OPERATOR, house.license.id, &super::app::device(COMPUTER)).await.unwrap();
    assert_eq!(number(&house.qlm(method, &[("is_pckey", &key), ("is_pcid", COMPUTER)]).await).as_deref(), Some("219"));
    house.app.pass_seconds(61);
    house.qlm("RequestAuthorizationCodeForActivationHttp", &[("is_email", ANN), ("is_pcid", COMPUTER)]).await;
    let fresh = house.code(&office).await;
    let wrong = if fresh == "000000" { "000001" } else { "000000" };
    assert_eq!(
        number(&house.qlm(method, &[("is_pckey", &key), ("is_authcode", wrong), ("is_pcid", COMPUTER)]).await).as_deref(),
        Some("8"),
        "the old key proves nothing"
    );
    let text = house.qlm(method, &[("is_pckey", &key), ("is_authcode", &fresh), ("is_pcid", COMPUTER)]).await;
    assert!(text.contains("<status>2</status>") && !text.contains(&key), "{text}");
    assert_eq!(house.app.seats_taken(&house.license).await, 1);
}

async fn an_app_sets_what_is_its_own_once_its_code_is_shown(app: TestApp) {
    use crate::licensing::qlm::{PropertyDefinition, QlmTerms};
    let house = House::new(app, 5).await;
    let office = house.with_office().await;
    let lines = "user.nick: string app\nuser.seats: int app = 1\nquality.rows: int = 100";
    house.app.rules("press", |rules| rules.properties = PropertyDefinition::parse_all(lines).unwrap()).await;
    let asks = "user.nick::Ann||quality.rows::999999||other.thing::1||user.seats::many";
    let method = "RequestAuthorizationCodeForActivationHttp";
    let ask = async |computer: &str, asks: &str| {
        house.app.pass_seconds(61);
        house.qlm(method, &[("is_email", ANN), ("is_pcid", computer), ("is_pp", asks)]).await
    };
    let terms = async || house.app.license(&house.license).await.terms.qlm;
    let code = {
        assert!(ask(COMPUTER, asks).await.contains("<result>"));
        house.code(&office).await
    };
    // Asking sets nothing, and neither does a code that is wrong, or an activation by another way.
    house.qlm("ActivateKeyByAuthorizationCodeHttp", &[("is_authcode", "000000"), ("is_pcid", COMPUTER), ("is_email", ANN)]).await;
    house.qlm("ValidateLicenseHttp", &[("is_avkey", &house.license.key.text()), ("is_pcid", "HW-9"), ("is_pp", asks)]).await;
    assert_eq!(terms().await, None);
    let shown = [("is_authcode", code.as_str()), ("is_pcid", COMPUTER), ("is_email", ANN)];
    let text = house.qlm("ActivateKeyByAuthorizationCodeHttp", &shown).await;
    assert!(text.contains("value=\"Ann\"") && text.contains("value=\"100\"") && !text.contains("other"), "{text}");
    // A license that staff made is judged by its maintenance as before.
    let version = house.app.license(&house.license).await.terms.qlm.map(|qlm| (qlm.major, qlm.minor));
    assert_eq!(version, Some((0, 0)));
    let set = |qlm: Option<QlmTerms>| {
        let all = qlm.unwrap_or_default().properties;
        all.into_iter().map(|one| format!("{}.{}={}", one.category, one.name, one.value)).collect::<Vec<_>>()
    };
    assert_eq!(set(terms().await), ["user.nick=Ann"], "what is not the app's, or is no number, is passed over");
    // By the page as well, where the person types the code of the app.
    ask("HW-2", "user.nick::Berta||user.seats::7").await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "HW-2")]).await.status, 303);
    assert_eq!(set(terms().await), ["user.nick=Berta", "user.seats=7"]);
    // A code for any computer sets nothing: whoever asked last need not be who gets it.
    house.app.pass_seconds(61);
    house.qlm(method, &[("is_email", ANN), ("is_pp", "user.nick::Eve")]).await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "HW-7")]).await.status, 303);
    assert_eq!(set(terms().await), ["user.nick=Berta", "user.seats=7"]);
    house.app.pass_seconds(3_600);
    // What is no expression is told at once; and a code that is asked for anew forgets what was asked before.
    let wrong = ask("HW-3", "user.nick").await;
    assert!(wrong.contains("<errorCode>208<") && wrong.contains("is_pp"), "{wrong}");
    ask("HW-3", "").await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "HW-3")]).await.status, 303);
    assert_eq!(set(terms().await), ["user.nick=Berta", "user.seats=7"]);
    assert!(house.app.desk().verify_audit(&OPERATOR).await.unwrap().broken.is_empty());
}

async fn letters_have_the_vendors_own_words(app: TestApp) {
    use crate::desk::Role;
    let house = House::new(app, 5).await;
    let office = house.with_office().await;
    let (keeper, reader) = (
        house.app.staff("keeper@vendor.example", Role::Admin).await,
        house.app.staff("reader@vendor.example", Role::Support).await,
    );
    for secret in ["keeper@vendor.example", "reader@vendor.example"] {
        house.app.secret(secret);
    }
    let page = "/vendor/mail/templates";
    let write = async |name: &str, subject: &str, text: &str| {
        house.app.post_as(&keeper, page, &[("name", name), ("subject", subject), ("text", text)]).await
    };
    let sold = async |template: Option<&str>| {
        let issue = Issue {
            customer: Some(Email::parse(ANN).unwrap()),
            customer_name: "Ann %Email%".to_owned(),
            mails_keys: true,
            template: template.map(str::to_owned),
            ..Issue::one(crate::licensing::ProductCode::parse("press").unwrap(), Terms::default())
        };
        let key = house.app.issue_as(issue).await.key.text();
        house.app.desk().send_messages().await.unwrap();
        let letter = office.letters().pop().unwrap();
        assert!(letter.text.contains(&key), "{}", letter.text);
        (letter.headers, letter.text)
    };
    assert!(sold(None).await.1.contains("Your license of Product press is ready."), "ours, where there is none");
    // What does not say the key, or names what no letter knows, is no letter.
    assert!(house.app.get_as(&keeper, page).await.text().contains("%ActivationKey%"), "the first begins with our words");
    for (text, why) in
        [("Thank you!", "says no %ActivationKey%"), ("%ActivationKey% %ComputerName%", "Nothing is called %ComputerName%")]
    {
        let refused = write("NewOrder", "x", text).await;
        assert!(refused.status == 422 && refused.text().contains(why), "{}", refused.text());
    }
    assert_eq!(
        write("NewOrder", "For %FullName%", "Dear %fullname%, %ActivationKey% for %ProductName%, 100% yours.").await.status,
        303
    );
    let (headers, text) = sold(None).await;
    assert!(text.starts_with("Dear Ann %Email%, ") && text.trim_end().ends_with("for Product press, 100% yours."), "{text}");
    assert!(headers.contains("Subject: For Ann %Email%"), "what a customer is called names nothing: {headers}");
    // One that an order names; where it is not there, the one of every order.
    assert_eq!(write("Studio", "Studio", "Studio: %ActivationKey%").await.status, 303);
    assert!(sold(Some("STUDIO")).await.1.starts_with("Studio: "));
    assert!(sold(Some("Gone")).await.1.starts_with("Dear Ann"));
    // With a code.
    assert_eq!(write("AuthorizationCode", "Code", "Your code is %AuthorizationCode% for %Minutes% minutes.").await.status, 303);
    // An order that names that one gets its key all the same.
    assert!(sold(Some("authorizationcode")).await.1.starts_with("Dear Ann"));
    house.ask(ANN, COMPUTER).await;
    let code = house.code(&office).await;
    assert!(office.letters().pop().unwrap().text.contains("for 10 minutes."));
    assert_eq!(house.confirm(&code, &[]).await.status, 303);
    // With keys that somebody asked for.
    assert_eq!(
        write("RequestKeys", "Keys of %FullName%", "All of them:\n%ActivationKey%\nAsk %SupportAddress%").await.status,
        303
    );
    house.app.post("/lost-key", &[("email", ANN)]).await;
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap();
    assert!(letter.text.starts_with("All of them:\nProduct press\n") && letter.text.contains(&house.license.key.text()));
    // Only who may change settings writes letters, and what is removed is ours again.
    assert_eq!(house.app.get_as(&reader, page).await.status, 403);
    let theirs = [("name", "NewOrder"), ("subject", "x"), ("text", "%ActivationKey%")];
    assert_eq!(house.app.post_as(&reader, page, &theirs).await.status, 403);
    assert!(house.app.get_as(&keeper, "/vendor/mail/templates?edit=studio").await.text().contains("Studio: %ActivationKey%"));
    assert_eq!(house.app.post_as(&keeper, "/vendor/mail/templates/neworder/remove", &[]).await.status, 303);
    assert_eq!(house.app.post_as(&keeper, "/vendor/mail/templates/neworder/remove", &[]).await.status, 404);
    assert!(sold(None).await.1.contains("is ready."));
}

async fn a_letter_is_sent_once_and_tried_again_for_a_while(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    office.refuse(Some("451 come again"));
    house.ask(ANN, COMPUTER).await;
    assert_eq!(house.app.desk().send_messages().await.unwrap(), 0);
    let (listed, _) = house.app.desk().messages(&OPERATOR, None, None).await.unwrap();
    assert!(listed[0].sent.is_none() && listed[0].fault.contains("come again") && listed[0].attempts == 1, "{}", listed[0].fault);
    // Not before its time; then by one of two processes.
    office.refuse(None);
    assert_eq!(house.app.desk().send_messages().await.unwrap(), 0);
    house.app.pass_seconds(60);
    let other = house.app.other_process().await;
    let (one, two) = tokio::join!(house.app.desk().send_messages(), other.desk().send_messages());
    assert_eq!((one.unwrap() + two.unwrap(), office.letters().len()), (1, 1));
    other.desk().store().close().await;
    let (listed, _) = house.app.desk().messages(&OPERATOR, None, None).await.unwrap();
    assert!(listed[0].sent.is_some() && listed[0].body.is_none(), "what held a code is forgotten");
    // Refused for good, it is not tried again.
    office.refuse(Some("550 no such mailbox"));
    house.app.pass_seconds(61);
    house.ask(ANN, "HW-2").await;
    house.app.desk().send_messages().await.unwrap();
    let (listed, _) = house.app.desk().messages(&OPERATOR, None, Some("ANN@customer.example")).await.unwrap();
    assert!(listed[0].failed.is_some() && listed[0].fault.contains("no such mailbox"));
    // A code whose time is over is sent to nobody.
    office.refuse(Some("451 come again"));
    house.app.pass_seconds(61);
    house.ask(ANN, "HW-3").await;
    house.app.desk().send_messages().await.unwrap();
    office.refuse(None);
    house.app.pass_seconds(601);
    assert_eq!((house.app.desk().send_messages().await.unwrap(), office.letters().len()), (0, 1));
}

async fn nobody_learns_whether_an_address_is_known(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    let told = |reply: Reply, email: &str| (reply.status, without_chance(&reply.text().replace(email, "…")));
    let known = told(house.ask(ANN, COMPUTER).await, ANN);
    let unknown = told(house.ask("eve@customer.example", COMPUTER).await, "eve@customer.example");
    assert_eq!(known, unknown);
    house.app.desk().send_messages().await.unwrap();
    assert_eq!(office.letters().len(), 1);
    // A code that is wrong, and one that was never sent.
    let wrong = house.confirm("000000", &[]).await.text().replace(ANN, "…");
    let never = house.confirm("000000", &[("email", "eve@customer.example")]).await.text().replace("eve@customer.example", "…");
    assert_eq!(without_chance(&wrong), without_chance(&never));
    let lost = house.app.post("/lost-key", &[("email", ANN)]).await.text().replace(ANN, "…");
    let nobody =
        house.app.post("/lost-key", &[("email", "eve@customer.example")]).await.text().replace("eve@customer.example", "…");
    assert_eq!(without_chance(&lost), without_chance(&nobody));
}

/// A page without what is drawn by chance for each: nonces and request ids.
fn without_chance(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) =
        ["nonce=\"", "name=\"request_id\" value=\""].iter().filter_map(|mark| rest.find(mark).map(|at| at + mark.len())).min()
    {
        out.push_str(&rest[..at]);
        rest = rest[at..].split_once('"').map_or("", |(_, rest)| rest);
    }
    out + rest
}

async fn asking_often_tells_nothing_either(app: TestApp) {
    let house = House::new(app, 1).await;
    let _office = house.with_office().await;
    let mut answers = Vec::new();
    for email in [ANN, "eve@customer.example"] {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(house.ask(email, COMPUTER).await.status.as_u16());
        }
        for computer in ["B", "C", "D"] {
            statuses.push(house.ask(email, computer).await.status.as_u16());
        }
        answers.push(statuses);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], [200, 200, 200, 200, 200, 200, 200, 429]);
}

async fn a_code_is_over_after_its_time_its_tries_or_a_newer_one(app: TestApp) {
    let house = House::new(app, 3).await;
    let office = house.with_office().await;
    house.ask(ANN, COMPUTER).await;
    let first = house.code(&office).await;
    house.app.pass_seconds(600);
    assert_eq!(house.confirm(&first, &[]).await.status, 422, "ten minutes are over");
    house.ask(ANN, COMPUTER).await;
    let second = house.code(&office).await;
    for _ in 0..5 {
        let other = if second == "000000" { "000001" } else { "000000" };
        assert_eq!(house.confirm(other, &[]).await.status, 422);
    }
    assert_eq!(house.confirm(&second, &[]).await.status, 422, "five tries are over");
    house.app.pass_seconds(3_601);
    house.ask(ANN, COMPUTER).await;
    let third = house.code(&office).await;
    // Asked again at once, the one that is on its way is meant.
    house.ask(ANN, COMPUTER).await;
    house.app.desk().send_messages().await.unwrap();
    assert_eq!(office.letters().len(), 3);
    house.app.pass_seconds(61);
    house.ask(ANN, COMPUTER).await;
    let fourth = house.code(&office).await;
    assert_eq!(house.confirm(&third, &[]).await.status, 422);
    assert_eq!(house.confirm(&fourth, &[]).await.status, 303);
}

async fn codes_are_asked_for_and_tried_only_so_often(app: TestApp) {
    let house = House::new(app, 3).await;
    let office = house.with_office().await;
    for computer in ["A", "B", "C"] {
        assert_eq!(house.ask(ANN, computer).await.status, 200);
    }
    assert_eq!(house.ask(ANN, "D").await.status, 429);
    assert_eq!(house.ask("EVE@customer.example", "D").await.status, 200, "another address");
    house.app.desk().send_messages().await.unwrap();
    assert_eq!(office.letters().len(), 3);
    // An address nobody has is counted alike.
    for computer in ["B", "C"] {
        house.ask("eve@customer.example", computer).await;
    }
    assert_eq!(house.ask("eve@customer.example", "E").await.status, 429);
    // From one network address, whoever it is for.
    for n in 0..20 {
        house.ask(&format!("p{n}@customer.example"), COMPUTER).await;
    }
    assert_eq!(house.ask("last@customer.example", COMPUTER).await.status, 429);
    // Wrong codes, whatever for.
    for n in 0..10 {
        assert_eq!(house.confirm("000000", &[("email", &format!("p{n}@customer.example"))]).await.status, 422);
    }
    assert_eq!(house.confirm("000000", &[]).await.status, 429);
    for text in ["12345", "", "abcdef"] {
        assert_eq!(house.confirm(text, &[]).await.status, 422, "no code at all is no try");
    }
}

async fn an_address_has_ten_codes_and_twenty_wrong_tries_a_day(app: TestApp) {
    let house = House::new(app, 20).await;
    let office = house.with_office().await;
    // Three an hour, for as many hours as that takes.
    let mut sent = 0;
    for hour in 0..4 {
        house.app.pass_seconds(3_700);
        for n in 0..3 {
            let status = house.ask(ANN, &format!("PC-{hour}-{n}")).await.status;
            sent += usize::from(status == 200);
            assert_eq!(status, if sent <= 10 && hour * 3 + n < 10 { 200 } else { 429 }, "{hour} {n}");
        }
    }
    assert_eq!((sent, house.app.desk().messages(&OPERATOR, None, Some(ANN)).await.unwrap().0.len()), (10, 10));
    house.app.pass_days(2);
    assert_eq!(house.ask(ANN, COMPUTER).await.status, 200);
    // Each wrong code from another network address, so that it is the customer's limit, which lasts when the code is over.
    let wrong = async |n: u8| {
        let fields = [("email", ANN), ("product", "press"), ("device_id", COMPUTER), ("code", "000000")];
        let mut request = super::app::form("/activate/code/confirm", &fields).body(urlencoded(&fields)).unwrap();
        let peer = std::net::SocketAddr::from(([198, 51, 100, n], 40_000));
        request.extensions_mut().insert(axum::extract::ConnectInfo(peer));
        house.app.send(request).await.status.as_u16()
    };
    for n in 0..20 {
        assert_eq!(wrong(n).await, 422, "{n}");
    }
    // Today the right one of a new code is as wrong as the others, and nobody is told why; tomorrow it is right.
    house.app.pass_seconds(3_700);
    house.ask(ANN, "PC-A").await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "PC-A")]).await.status, 422);
    house.app.pass_days(1);
    house.ask(ANN, "PC-B").await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "PC-B")]).await.status, 303);
}

async fn who_has_no_license_to_be_had_is_told_by_mail_why(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    house.app.activate_by_form(&house.license.key, "HW-9", &[]).await.unwrap();
    assert_eq!(house.ask(ANN, COMPUTER).await.status, 200);
    house.app.desk().send_messages().await.unwrap();
    assert!(office.letters()[0].text.contains("every seat of your licenses is taken"), "{}", office.letters()[0].text);
    // The computer that holds the seat may come back.
    house.ask(ANN, "HW-9").await;
    let code = house.code(&office).await;
    assert_eq!(house.confirm(&code, &[("device_id", "HW-9")]).await.status, 303);
    assert_eq!(house.app.seats_taken(&house.license).await, 1);
    house.app.desk().disable_license(&OPERATOR, house.license.id, String::new()).await.unwrap();
    house.app.pass_seconds(3_601);
    house.ask(ANN, COMPUTER).await;
    house.app.desk().send_messages().await.unwrap();
    assert!(office.letters().pop().unwrap().text.contains("expired or were disabled"));
}

async fn without_a_mail_server_staff_reads_what_would_be_sent(app: TestApp) {
    let house = House::new(app, 1).await;
    house.ask(ANN, COMPUTER).await;
    assert_eq!(house.app.desk().send_messages().await.unwrap(), 0);
    let owner = house.app.staff("owner@vendor.example", Role::Owner).await;
    let viewer = house.app.staff("viewer@vendor.example", Role::Viewer).await;
    let list = house.app.get_as(&owner, "/vendor/mail").await.text();
    assert!(list.contains("No mail server is set") && list.contains("Kept here") && list.contains(ANN), "{list}");
    let link =
        list.split("href=\"/vendor/mail/").filter_map(|rest| rest.split('"').next()).find(|link| link.len() == 43).unwrap();
    let page = house.app.get_as(&owner, &format!("/vendor/mail/{link}")).await.text();
    let code = page.split("Your code is ").nth(1).unwrap()[..6].to_owned();
    house.app.secret(code.clone());
    for path in ["/vendor/mail".to_owned(), format!("/vendor/mail/{link}"), "/vendor/mail/server".to_owned()] {
        assert_eq!(house.app.get_as(&viewer, &path).await.status, 403, "{path}");
        assert_eq!(house.app.get(&path).await.status, 303, "{path}");
    }
    assert_eq!(house.app.post_as(&viewer, "/vendor/mail/server", &[("server", "mail.evil.example")]).await.status, 403);
    assert_eq!(house.app.get_as(&owner, "/vendor/mail/nothing").await.status, 404);
    assert_eq!(house.confirm(&code, &[]).await.status, 303);
    // Nothing in the database says it without the master key.
    let (listed, _) = house.app.desk().messages(&OPERATOR, None, None).await.unwrap();
    let body = listed[0].body.clone().unwrap();
    assert!(!String::from_utf8_lossy(&body).contains(&code));
}

async fn passwords_among_the_settings_are_kept_and_never_shown(app: TestApp) {
    const PASSWORD: &str = "a password of the mail server";
    app.secret(PASSWORD);
    let owner = app.staff("owner@vendor.example", Role::Owner).await;
    let server = [("server", "mail.vendor.example"), ("security", "tls"), ("user", "shop"), ("from", "")];
    let saved = app.post_as(&owner, "/vendor/mail/server", &[&server[..], &[("password", PASSWORD)]].concat()).await;
    assert_eq!(saved.status, 303, "{}", saved.text());
    let stored = app.desk().read().await.unwrap().settings().await.unwrap();
    assert!(!stored["smtpPassword"].is_empty() && !stored["smtpPassword"].contains(PASSWORD));
    let page = app.get_as(&owner, "/vendor/mail/server").await.text();
    assert!(page.contains("••••••••") && !page.contains(PASSWORD) && !page.contains(&stored["smtpPassword"]));
    let credentials = |app: &TestApp| app.desk().mail_server(&app.desk().settings()).unwrap().unwrap().credentials;
    assert_eq!(credentials(&app), Some(("shop".to_owned(), PASSWORD.to_owned())));
    // Saved as it was shown, it stays; for another server it is asked for again.
    let shown = [&server[..], &[("password", "••••••••")]].concat();
    assert_eq!(app.post_as(&owner, "/vendor/mail/server", &shown).await.status, 303);
    assert_eq!(credentials(&app), Some(("shop".to_owned(), PASSWORD.to_owned())));
    let elsewhere = app
        .post_as(
            &owner,
            "/vendor/mail/server",
            &[&[("server", "mail.evil.example")], &server[1..], &[("password", "••••••••")]].concat(),
        )
        .await;
    assert!(elsewhere.status == 422 && elsewhere.text().contains("The password is for another server"));
    assert_eq!(app.desk().settings().mail.server, "mail.vendor.example");
    let history = app.get_as(&owner, "/vendor/settings").await.text();
    assert!(!history.contains(PASSWORD) && !history.contains(&stored["smtpPassword"]));
    for (field, value) in [("server", "http://mail"), ("security", "ssl"), ("from", "nobody")] {
        let mut fields = shown.clone();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        assert_eq!(app.post_as(&owner, "/vendor/mail/server", &fields).await.status, 422, "{field}");
    }
}

async fn keys_are_sent_to_their_customer_and_shown_to_nobody_else(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    let disabled = house
        .app
        .issue_as(Issue {
            customer: Some(Email::parse(ANN).unwrap()),
            ..Issue::one(crate::licensing::ProductCode::parse("press").unwrap(), Terms::default())
        })
        .await;
    house.app.desk().disable_license(&OPERATOR, disabled.id, String::new()).await.unwrap();
    let page = house.app.post("/lost-key", &[("email", "Ann@Customer.example")]).await.text();
    let key = house.license.key.text();
    assert!(!page.contains(&key) && page.contains("their keys are on the way"));
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap();
    assert!(letter.to.eq_ignore_ascii_case(ANN) && letter.text.contains(&key) && !letter.text.contains(&disabled.key.text()));
    assert_eq!(house.app.post("/lost-key", &[("email", "ann at customer")]).await.status, 422);
    for _ in 0..2 {
        house.app.post("/lost-key", &[("email", ANN)]).await;
    }
    assert_eq!(house.app.post("/lost-key", &[("email", ANN)]).await.status, 429);
    house.app.secret("Ann@Customer.example");
}

async fn a_customer_agrees_by_a_link_and_takes_it_back_without_one(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    let customer =
        async || house.app.desk().read().await.unwrap().customer_by_email(&Email::parse(ANN).unwrap()).await.unwrap().unwrap();
    let said = house.qlm("SubscribeToMailListHttp", &[("is_email", ANN), ("is_include", "1")]).await;
    assert!(said.contains("<result>"), "{said}");
    assert!(customer().await.news.is_none(), "saying so is not agreeing");
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap().text;
    let link = letter.split("/mail/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let path = format!("/mail/{link}");
    assert!(house.app.get(&path).await.text().contains("Write to me"));
    assert!(customer().await.news.is_none(), "looking is not agreeing");
    // Another's address, or another time, under the same mark.
    let (payload, mark) = link.split_once('.').unwrap();
    for forged in [format!("{payload}.{}", "A".repeat(43)), format!("{}.{mark}", payload.replacen('b', "c", 1)), "x.y".to_owned()]
    {
        assert_eq!(house.app.post(&format!("/mail/{forged}"), &[]).await.status, 404, "{forged}");
    }
    assert!(house.app.post(&path, &[]).await.text().contains("Done"));
    assert_eq!(customer().await.news, Some(house.app.now()));
    // An address that stops it shows a button; a post does it.
    let stop = format!("/qlm/qlmservice.asmx/SubscribeToMailListHttp?is_email={ANN}&is_include=0&is_html=true");
    let looked = house.app.get(&stop).await;
    assert_eq!(looked.status, 303);
    let page = house.app.get(looked.location()).await.text();
    assert!(page.contains("Stop them") && customer().await.news.is_some());
    assert!(house.app.post("/mail/stop", &[("email", ANN)]).await.text().contains("Done"));
    assert!(customer().await.news.is_none());
    house
        .qlm("UpdatePrivacyConsentHttp", &[("is_email", ANN), ("is_avkey", &house.license.key.text()), ("is_consent", "1")])
        .await;
    assert!(customer().await.consent.is_none());
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap().text;
    let link = letter.split("/mail/").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    house.app.pass_days(8);
    assert_eq!(house.app.post(&format!("/mail/{link}"), &[]).await.status, 404, "a week is over");
}

async fn a_code_goes_to_the_phone_where_the_vendor_says_so(app: TestApp) {
    use axum::{Form, Json, Router, http::HeaderMap, routing::post};
    let house = House::new(app, 1).await;
    let _office = house.with_office().await;
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel::<(String, std::collections::HashMap<String, String>)>();
    let service = Router::new().route(
        "/2010-04-01/Accounts/AC1/Messages.json",
        post(move |headers: HeaderMap, Form(fields): Form<std::collections::HashMap<String, String>>| async move {
            told.send((headers["authorization"].to_str().unwrap().to_owned(), fields)).unwrap();
            (axum::http::StatusCode::CREATED, Json(serde_json::json!({ "sid": "SM1" })))
        }),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, service).await });
    house.app.secret("+491701234567");
    // Only staff says whose a phone is.
    let told = [("email", ANN), ("phone", "+15005550001")];
    house.qlm("UpdateUserInformation", &told).await;
    for wrong in ["0170 1234567", "nobody"] {
        let refused = house.app.desk().set_customer_phone(&OPERATOR, &Email::parse(ANN).unwrap(), Some(wrong)).await;
        assert!(refused.is_err(), "{wrong}");
    }
    house.app.desk().set_customer_phone(&OPERATOR, &Email::parse(ANN).unwrap(), Some("+49 170 1234567")).await.unwrap();
    house
        .set(&[
            ("smsServiceUrl", &address),
            ("smsAccountNumber", "AC1"),
            ("smsAuthenticationToken", "token"),
            ("smsPhoneNumber", "+15005550006"),
        ])
        .await;
    house.ask(ANN, COMPUTER).await;
    assert_eq!(house.app.desk().send_messages().await.unwrap(), 1, "by mail alone");
    house.set(&[("activationByAuthorizationCodeEnableSMS", "true")]).await;
    house.app.pass_seconds(61);
    house.ask(ANN, COMPUTER).await;
    assert_eq!(house.app.desk().send_messages().await.unwrap(), 2);
    let (authorization, fields) = heard.recv().await.unwrap();
    assert_eq!(authorization, "Basic QUMxOnRva2Vu");
    assert_eq!((&*fields["To"], &*fields["From"]), ("+491701234567", "+15005550006"));
    let code = fields["Body"][..6].to_owned();
    house.app.secret(code.clone());
    assert_eq!(house.confirm(&code, &[]).await.status, 303);
}

async fn a_trial_that_is_asked_for_goes_to_its_address_once(app: TestApp) {
    let house = House::new(app, 1).await;
    let office = house.with_office().await;
    const BEN: &str = "ben@customer.example";
    house.app.secret(BEN);
    let register = async |email: &str, more: &[(&str, &str)]| {
        let product = [("is_productid", "1"), ("is_majorversion", "1"), ("is_minorversion", "0"), ("is_email", email)];
        let request = Request::post("/qlm/QlmCustomerSite/qlmregistration.asmx/Register");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        house.app.send(request.body(urlencoded(&[&product[..], more].concat())).unwrap()).await.text()
    };
    assert!(register(BEN, &[]).await.contains("<errorCode>7</errorCode>"), "it is off");
    house.set(&[("enableTrialRegistration", "true"), ("trialDuration", "14")]).await;
    assert!(register("ben", &[]).await.contains("<errorCode>208</errorCode>"));
    let wishes = [
        ("is_fullname", "Ben"),
        ("is_quantity", "50"),
        ("is_expduration", "9999"),
        ("is_licensemodel", "permanent"),
        ("is_features", "0:255"),
        ("is_emailfrom", "eve@evil.example"),
        ("is_emailsubject", "Look here"),
        ("is_ccemail", "eve@evil.example"),
    ];
    let told = register(BEN, &wishes).await;
    house.app.desk().send_messages().await.unwrap();
    let letter = office.letters().pop().unwrap();
    assert!(office.letters().len() == 1 && letter.to == BEN && letter.headers.contains("Subject: Your trial of Product press"));
    assert!(!letter.headers.contains("evil") && !letter.text.contains("evil"));
    let person = Email::parse(BEN).unwrap();
    let mut conn = house.app.desk().read().await.unwrap();
    let customer = conn.customer_by_email(&person).await.unwrap().unwrap();
    let found = conn.newest_licenses_of(customer.id, 10).await.unwrap();
    drop(conn);
    let (license, _) = &found[0];
    let key = license.key.as_ref().unwrap().text();
    house.app.secret(key.clone());
    assert!(letter.text.contains(&key) && !told.contains(&key), "{told}");
    assert_eq!((found.len(), license.terms.trial, license.terms.seats.most()), (1, true, Some(1)));
    assert_eq!(license.terms.expiry.on, Some(house.app.now().date().end().plus_days(14)));
    assert!(license.terms.qlm.as_ref().unwrap().features.text().is_empty());
    // Who asks need not be who gets it, so it is in no letter: staff reads it.
    assert_eq!((customer.name.as_str(), license.note.as_str()), ("", "Asked for in the name of Ben."));
    // Once more: the same answer, and the key that there is.
    assert_eq!(register(BEN, &[]).await, told);
    house.app.desk().send_messages().await.unwrap();
    assert!(office.letters().len() == 2 && office.letters()[1].text.contains(&key));
    assert_eq!(house.app.desk().read().await.unwrap().newest_licenses_of(customer.id, 10).await.unwrap().len(), 1);
    // Three an hour from one network address.
    assert!(register("c1@customer.example", &[]).await.contains("<result>"));
    assert!(register("c2@customer.example", &[]).await.contains("<errorCode>1</errorCode>"));
    for secret in ["c1@customer.example", "c2@customer.example"] {
        house.app.secret(secret);
    }
}
