//! Signatures: those of Quick License Manager's documents, which another implementation verifies, and those of calls that are signed.

use axum::{
    body::Body,
    http::{Request, header, request::Builder},
};

use super::{
    TestApp,
    app::urlencoded,
    licensespring::OPERATOR,
    qlm::{House, PASSWORD, failure, of},
};
use crate::{
    desk::NewExtension,
    licensing::{
        Timestamp,
        product::ProductRules,
        qlm::DateFormat,
        seal::{SealFor, SealProduct, SealUse},
    },
    vault::public,
};

tests! {
    both: ;
    once:
        every_signed_document_is_verified_by_another_implementation,
        apps_of_old_have_the_key_and_the_hash_they_were_built_with,
        keys_are_read_by_a_call_that_is_signed_once,
        a_signed_call_says_nothing_in_its_body;
}

/// A house with one more extension, which has an API key to sign calls with.
async fn with_reader(app: TestApp) -> (House, &'static str) {
    let house = House::new(app).await;
    let api_key = "an API key of the portal";
    house.app.secret(api_key);
    let new = NewExtension {
        name: "Reader".to_owned(),
        class: "qlmauthenticationprovider".to_owned(),
        user: "shop".to_owned(),
        password: Some(PASSWORD.to_owned()),
        api_key: Some(api_key.to_owned()),
        shared_key: None,
    };
    house.app.desk().add_extension(&OPERATOR, new).await.unwrap();
    (house, api_key)
}

/// A call with its signature over the address, as a caller that knows the API key makes it.
fn signed(request: Builder, api_key: &str, address: &str, at: Timestamp, version: &str) -> Builder {
    let time = DateFormat::parse("yyyy-MM-dd HH:mm:ss").unwrap().write(at);
    let text = format!("http://portal.example{address}&X-Qlm-Timestamp:{time}&X-Qlm-Authentication-Version:{version}");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, api_key.as_bytes());
    let token: String = aws_lc_rs::hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    request
        .header(header::HOST, "portal.example")
        .header("X-Qlm-Authentication-Token", token)
        .header("X-Qlm-Timestamp", time)
        .header("X-Qlm-Authentication-Version", version)
}

async fn apps_of_old_have_the_key_and_the_hash_they_were_built_with(app: TestApp) {
    let house = House::new(app).await;
    let app = &house.app;
    let (key, _) = house.keys("is_quantity=9", "1").await.remove(0);
    let code = crate::licensing::ProductCode::parse("press").unwrap();
    let rules = async |change: fn(&mut ProductRules)| app.rules("press", change).await;
    let document = async |computer: &str| house.validate(&key, computer, &[]).await.text();
    let sha1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1";
    let sha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
    // A key that was made here signs with SHA-1 for nobody.
    rules(|rules| rules.legacy_clients = true).await;
    let text = document("PC-1").await;
    assert!(text.contains(sha256) && !text.contains(sha1), "{text}");
    assert!(app.desk().weak_documents().await.unwrap().is_empty());
    // Its own key comes along from the server that was there before, as that kept it.
    let id = app.desk().read().await.unwrap().product(&code).await.unwrap().unwrap().id;
    let ring = SealFor::Qlm(SealProduct { id, code: code.clone() });
    let folder = tempfile::tempdir().unwrap();
    let made = |bits: &str| {
        let path = folder.path().join(bits);
        let mut program = std::process::Command::new("openssl");
        let ran = program.args(["genrsa", "-traditional", "-out"]).arg(&path).arg(bits).output().expect("openssl is there");
        assert!(ran.status.success());
        std::fs::read_to_string(path).unwrap()
    };
    let short = made("1024");
    for (wrong, ring) in [(made("512"), &ring), (short.clone(), &SealFor::LicenseSpring), ("<RSAKeyValue/>".to_owned(), &ring)] {
        let refused = app.desk().import_key(&OPERATOR, ring.clone(), wrong.as_bytes()).await.unwrap_err();
        assert_eq!(refused.code(), "bad_field", "{wrong}");
    }
    let kid = app.desk().import_key(&OPERATOR, ring.clone(), short.as_bytes()).await.unwrap();
    app.desk().rotate(&OPERATOR, ring.clone(), true).await.unwrap();
    let seal = app.desk().seals().await.unwrap().into_iter().find(|seal| seal.kid == kid).unwrap();
    assert!(seal.imported && public::is_short(&seal));
    assert!(!app.get("/.well-known/jwks.json").await.text().contains(&kid), "no checker takes a key that is so short");
    let text = document("PC-1").await;
    assert!(text.contains(sha1) && text.contains("http://www.w3.org/2000/09/xmldsig#sha1"), "{text}");
    assert!(is_signed_with(&seal, &text) && !is_signed_with(&seal, &text.replacen("<status>2<", "<status>4<", 1)));
    let refused = house.validate(&key, "PC-2", &[("is_activate", "false")]).await.text();
    assert!(refused.contains("<errorCode>219<") && is_signed_with(&seal, &refused), "{refused}");
    assert_eq!(app.desk().weak_documents().await.unwrap(), [(code.clone(), "with SHA-1, and by a key of less than 2048 bits")]);
    let staff = app.staff("boss@vendor.example", crate::desk::Role::Admin).await;
    for page in ["/vendor/keys", "/vendor/products/press?tab=rules"] {
        assert!(app.get_as(&staff, page).await.text().contains("Some documents are signed in a way of old"), "{page}");
    }
    // The better hash by the same key, for apps that know it.
    rules(|rules| rules.legacy_clients = false).await;
    let text = document("PC-1").await;
    assert!(text.contains(sha256) && is_signed_with(&seal, &text));
    // Of another process, and after a restart, it is the same.
    let other = app.other_process().await;
    let asked = format!("/qlm/qlmservice.asmx/ValidateLicenseHttp?is_avkey={key}&is_pcid=PC-1");
    assert!(is_signed_with(&seal, &other.get(&asked).await.text()));
    // As XML, of 2048 bits: nothing is weak about it but the hash.
    let xml = rsa_key_value(&made("2048"), folder.path());
    app.secret(xml.clone());
    let kid = app.desk().import_key(&OPERATOR, ring.clone(), xml.as_bytes()).await.unwrap();
    let torn = xml.replace("<Modulus>", "<Modulus>A");
    assert!(app.desk().import_key(&OPERATOR, ring.clone(), torn.as_bytes()).await.is_err(), "halves of two keys");
    app.desk().rotate(&OPERATOR, ring, true).await.unwrap();
    let seal = app.desk().seals().await.unwrap().into_iter().find(|seal| seal.kid == kid).unwrap();
    assert!(is_signed_with(&seal, &document("PC-1").await));
    assert!(app.desk().weak_documents().await.unwrap().is_empty());
    rules(|rules| rules.legacy_clients = true).await;
    let text = document("PC-1").await;
    assert!(text.contains(sha1) && is_signed_with(&seal, &text));
    assert_eq!(app.desk().weak_documents().await.unwrap(), [(code, "with SHA-1")]);
}

/// A private key as .NET keeps it.
fn rsa_key_value(pem: &str, folder: &std::path::Path) -> String {
    let path = folder.join("to-xml.pem");
    std::fs::write(&path, pem).unwrap();
    let mut program = std::process::Command::new("openssl");
    let ran = program.args(["rsa", "-noout", "-text", "-in"]).arg(&path).output().expect("openssl is there");
    let text = String::from_utf8(ran.stdout).unwrap();
    let number = |name: &str| {
        let (_, rest) = text.split_once(&format!("{name}:\n")).unwrap();
        let hex: String = rest.lines().take_while(|line| line.starts_with(' ')).flat_map(|line| line.trim().split(':')).collect();
        let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        crate::licensing::files::base64::standard(&bytes)
    };
    format!(
        "<RSAKeyValue><Modulus>{}</Modulus><Exponent>AQAB</Exponent><P>{}</P><Q>{}</Q><D>{}</D></RSAKeyValue>",
        number("modulus"),
        number("prime1"),
        number("prime2"),
        number("privateExponent")
    )
}

/// Whether another implementation takes a document for one under this key.
fn is_signed_with(seal: &crate::licensing::seal::Seal, text: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (pem, document) = (folder.path().join("key.pem"), folder.path().join("document.xml"));
    std::fs::write(&pem, public::pem(seal)).unwrap();
    std::fs::write(&document, text).unwrap();
    let mut program = std::process::Command::new("xmlsec1");
    let ran =
        program.args(["--verify", "--pubkey-pem"]).arg(&pem).arg(&document).output().expect("script/setup installs xmlsec1");
    ran.status.success()
}

/// Whether another implementation takes a document for one under a product's key.
pub(super) async fn is_signed_by(app: &TestApp, text: &str, product: &str) -> bool {
    let seals = app.desk().seals().await.unwrap();
    let Some(seal) = seals
        .into_iter()
        .find(|seal| seal.purpose == SealUse::Qlm && seal.product.as_ref().is_some_and(|of| of.code.as_str() == product))
    else {
        return false;
    };
    is_signed_with(&seal, text)
}

async fn every_signed_document_is_verified_by_another_implementation(app: TestApp) {
    let house = House::new(app).await;
    let (key, _) = house
        .keys("is_quantity=2&is_features=0:7&is_pp=a.b::%3CGr%C3%B6%C3%9Fe%3E&is_userdata1=%22%26%0D%0A%09%C3%A9", "1")
        .await
        .remove(0);
    let good = house.validate(&key, "PC <1> & \"é\"", &[("is_computer_name", "Büro 😀")]).await;
    let refused = house.validate(&key, "PC-1", &[("is_activate", "false")]).await;
    let seal = house.app.desk().seals().await.unwrap().into_iter().find(|seal| seal.purpose == SealUse::Qlm).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("key.pem");
    std::fs::write(&pem, public::pem(&seal)).unwrap();
    let verifies = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let mut program = std::process::Command::new("xmlsec1");
        let ran =
            program.args(["--verify", "--pubkey-pem"]).arg(&pem).arg(&path).output().expect("script/setup installs xmlsec1");
        ran.status.success()
    };
    for (name, reply) in [("good.xml", &good), ("refused.xml", &refused)] {
        assert!(reply.text().contains("<Signature "), "{}", reply.text());
        assert!(verifies(name, &reply.body), "{}", reply.text());
    }
    // A changed byte anywhere in what is signed.
    for (from, to) in [("<status>2<", "<status>4<"), ("&#233;", "&#232;"), ("availableLicenses>1<", "availableLicenses>9<")] {
        let text = good.text();
        assert!(text.contains(from), "{from}: {text}");
        assert!(!verifies("changed.xml", text.replacen(from, to, 1).as_bytes()), "{from}");
    }
    // The key as clients carry it is the same key.
    let xml = public::xml(&seal).unwrap();
    assert!(
        xml.starts_with("<RSAKeyValue><Modulus>") && xml.ends_with("</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>"),
        "{xml}"
    );
}

async fn keys_are_read_by_a_call_that_is_signed_once(app: TestApp) {
    let (house, api_key) = with_reader(app).await;
    let xml = house
        .ordered("reader", "is_userdata1=u&is_quantity=2&is_usemultipleactivationskey=false", &[("orderNumber", "77")])
        .await
        .text();
    let key = of(&xml, "activationKey").unwrap().to_owned();
    for key in xml.split("<activationKey>").skip(1) {
        house.app.secret(key.split('<').next().unwrap());
    }
    house.set("enableRetrieveActivationKeyHttp", "true").await;
    let address = |more: &str| {
        format!(
            "/qlm/qlmservice.asmx/RetrieveActivationKeyHttp?is_vendor=Reader&is_user=shop&is_pwd={}&{more}",
            PASSWORD.replace(' ', "%20")
        )
    };
    let signed = |address: &str, at: Timestamp, version: &str| {
        signed(Request::get(address), api_key, address, at, version).body(Body::empty()).unwrap()
    };
    let now = house.app.now();
    let asked = address("is_orderid=77&is_userdata1=u");
    let text = house.app.send(signed(&asked, now, "2")).await.text();
    assert_eq!((text.matches("<license>").count(), of(&text, "avkey")), (2, Some(&*key)), "{text}");
    assert_eq!(failure(&house.app.send(signed(&asked, now, "2")).await).0, 8, "once");
    // Nor in the window that follows the one it was used in, when that is swept away.
    let ahead = now.plus_seconds(290);
    let good = house.app.send(signed(&asked, ahead, "2")).await.text();
    assert!(good.contains("<license>"), "{good}");
    for _ in 0..58 {
        house.app.pass_seconds(10);
        house.app.desk().housekeeping().await.unwrap();
        assert_eq!(failure(&house.app.send(signed(&asked, ahead, "2")).await).0, 8, "at no time");
        house.app.desk().read().await.unwrap();
    }
    house.app.pass_seconds(1_200);
    let now = house.app.now();
    let as_json = house.app.send(signed(&address("is_orderid=77&is_format=json"), now, "2")).await;
    assert_eq!(as_json.json()["licenses"][0]["activationKey"], key);
    assert_eq!(failure(&house.app.get(&asked).await).0, 8, "without a signature");
    assert_eq!(failure(&house.app.send(signed(&address("is_orderid=78"), now, "2")).await).0, 203);
    let by_data = house.app.send(signed(&address("is_userdata1=u"), now, "2")).await.text();
    assert_eq!(by_data.matches("<license>").count(), 2, "{by_data}");
    assert_eq!(failure(&house.app.send(signed(&address("is_userdata1=U%25"), now, "2")).await).0, 203);
    assert_eq!(failure(&house.app.send(signed(&address("x=1"), now, "2")).await).0, 208);
    assert_eq!(as_json.json()["licenses"][0]["orderId"], "77");
    let unread = house.app.send(signed(&address("is_orderid=79&is_format=json"), now, "2")).await;
    assert_eq!((unread.header("content-type"), &unread.json()["errorCode"]), ("application/json", &203.into()));
    assert_eq!(failure(&house.app.send(signed(&address("is_orderid=77&a=1"), now, "1")).await).0, 8, "version 1 is too low");
    // A signature over another address.
    let mut crossed = signed(&address("is_orderid=77&a=2"), now, "2");
    *crossed.uri_mut() = address("is_orderid=77&a=3").parse().unwrap();
    assert_eq!(failure(&house.app.send(crossed).await).0, 8);
    // The computers of a license, for whoever has a password, signed only if the vendor says so.
    let log = format!(
        "/qlm/qlmservice.asmx/GetActivationLogHttp?is_vendor=portal&is_user=shop&is_pwd={}&is_avkey={key}",
        PASSWORD.replace(' ', "+")
    );
    assert_eq!(failure(&house.app.get(&log).await).0, 7);
    house.set("enableGetActivationLogHttp", "true").await;
    house.validate(&key, "PC-1", &[("is_computer_name", "Büro"), ("is_alog_userdata1", "seat 7")]).await;
    // What is said of a computer is kept with its seat, and not changed by whoever knows the key.
    house.validate(&key, "PC-1", &[("is_alog_userdata1", "seat 8")]).await;
    let text = house.app.get(&log).await.text();
    assert_eq!(of(&text, "userData1"), Some("seat 7"));
    assert_eq!(
        (of(&text, "computerID"), of(&text, "computerName"), of(&text, "state")),
        (Some("PC-1"), Some("B&#252;ro"), Some("active"))
    );
    assert_eq!(house.app.get(&format!("{log}&is_format=JSON")).await.json()["activations"][0]["computerName"], "Büro");
    house.set("allowUnauthenticatedVendor", "true").await;
    assert_eq!(failure(&house.get("GetActivationLogHttp", &[("is_avkey", &key)]).await).0, 8, "a password is needed always");
    house.set("strictAuthenticationHttpMethods", "GetActivationLogHttp,validatelicensehttp").await;
    assert_eq!(failure(&house.app.get(&log).await).0, 8);
    assert_eq!(failure(&house.validate(&key, "PC-1", &[]).await).0, 8, "whichever method it is");
}

async fn a_signed_call_says_nothing_in_its_body(app: TestApp) {
    let (house, api_key) = with_reader(app).await;
    house.set("enableGetLicensesHttp", "true").await;
    house.keys("", "1").await;
    let address =
        "/qlm/qlmservice.asmx/GetLicensesHttp?is_vendor=Reader&is_user=shop&is_pwd=a%20password%20of%20the%20shop&is_offset=0";
    let signed = |request: Builder| signed(request, api_key, address, house.app.now(), "2");
    let in_body = Request::post(address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let in_body = house.app.send(signed(in_body).body(urlencoded(&[("is_filter", "ProductID=1")])).unwrap()).await;
    let (number, message) = failure(&in_body);
    assert!(number == 8 && message.contains("none of them in its body"), "{message}");
    // That one was not counted as used: rightly sent it reads.
    let text = house.app.send(signed(Request::get(address)).body(Body::empty()).unwrap()).await.text();
    assert_eq!(text.matches("<license>").count(), 1, "{text}");
}
