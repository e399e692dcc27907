//! An app of LicenseSpring's kind, written from the description of the wire alone: it signs its calls and believes nothing of an
//! answer that is not signed. Nothing here is shared with the server.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use time::OffsetDateTime;

pub struct Client {
    pub addr: SocketAddr,
    pub api_key: String,
    pub shared_key: String,
    /// The portal's RSA key: SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

/// Who a call is by, and from where (§7).
#[derive(Clone)]
pub struct Ident {
    pub product: &'static str,
    pub hardware_id: &'static str,
    pub who: Who,
}

#[derive(Clone)]
pub enum Who {
    Key(&'static str),
    User { name: &'static str, password: Option<&'static str> },
}

impl Ident {
    pub fn members(&self) -> Vec<(&'static str, &'static str)> {
        let mut members = vec![("product", self.product), ("hardware_id", self.hardware_id)];
        match self.who {
            Who::Key(key) => members.push(("license_key", key)),
            Who::User { name, password } => {
                members.push(("username", name));
                members.extend(password.map(|password| ("password", password)));
            }
        }
        members
    }

    fn principal(&self) -> &'static str {
        match self.who {
            Who::Key(key) => key,
            Who::User { name, .. } => name.split('|').next().unwrap(),
        }
    }
}

/// RFC 9110 §5.6.7.
pub fn http_date(at: SystemTime) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64).unwrap();
    let (day, month) = (&at.weekday().to_string()[..3], &at.month().to_string()[..3]);
    format!("{day}, {:02} {month} {} {:02}:{:02}:{:02} GMT", at.day(), at.year(), at.hour(), at.minute(), at.second())
}

/// An app's own clock.
#[allow(clippy::disallowed_methods)]
pub fn now() -> SystemTime {
    SystemTime::now()
}

/// As JavaScript writes an instant.
pub fn iso_date(at: SystemTime) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at.duration_since(UNIX_EPOCH).unwrap().as_secs() as i64).unwrap();
    let (date, hour, minute, second) = (at.date(), at.hour(), at.minute(), at.second());
    format!("{}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.000Z", date.year(), u8::from(date.month()), date.day())
}

impl Client {
    pub fn sign(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.shared_key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }

    /// §2.1.
    fn headers(&self) -> String {
        let date = http_date(now());
        let signature = self.sign(&format!("licenseSpring\ndate: {date}"));
        format!(
            "date: {date}\r\nauthorization: algorithm=\"hmac-sha256\",headers=\"date\",signature=\"{signature}\",apiKey=\"{}\"\r\n",
            self.api_key
        )
    }

    fn send(&self, method: &str, path: &str, content_type: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect_timeout(&self.addr, Duration::from_secs(5)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = format!(
            "{method} /api/v4{path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{}content-type: {content_type}\r\n\
             content-length: {}\r\n\r\n",
            self.addr,
            self.headers(),
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("a whole answer");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        self.send("GET", &format!("{path}?{query}"), "application/json", "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "application/json", &body.to_string())
    }

    pub fn post_text(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, "text/plain", body)
    }

    /// A call for a license, with what more it says.
    pub fn ask(&self, ident: &Ident, path: &str, more: &[(&str, &str)]) -> Answer {
        self.get(path, &[&ident.members(), more].concat())
    }

    pub fn tell(&self, ident: &Ident, path: &str, more: Value) -> Answer {
        let mut body = json!({});
        for (name, value) in ident.members() {
            body[name] = value.into();
        }
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(path, &body)
    }

    pub fn verifies(&self, message: &str, signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        STANDARD.decode(signature).is_ok_and(|signature| key.verify(message.as_bytes(), &signature).is_ok())
    }

    /// The value of a 200, once its signature covers its exact bytes (§3.1) and the bytes are those JavaScript would print again
    /// (§3.2; what serde prints of what it read is compared here, what Node prints in `script/test`).
    #[track_caller]
    pub fn believed(&self, answer: &Answer) -> Value {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let signature = answer.header("licensesignature").expect("every JSON answer is signed");
        assert!(self.verifies(&answer.body, signature), "{}", answer.body);
        let value: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(value.to_string(), answer.body);
        value
    }

    /// §3.3: the signature inside of a license.
    #[track_caller]
    pub fn check_inner(&self, ident: &Ident, license: &Value) {
        let validity = license["validity_period"].as_str().unwrap_or_default();
        let message = format!("{}#{}#{validity}", ident.hardware_id, ident.principal()).to_lowercase();
        assert!(self.verifies(&message, license["license_signature"].as_str().unwrap()), "{message}");
    }

    /// A request file of version 2 (§8.2), as Node writes it.
    pub fn request_file(&self, ident: &Ident, act: &str, id: &str, more: Value) -> String {
        let mut request = json!({});
        for (name, value) in ident.members() {
            request[name] = value.into();
        }
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        for (name, value) in [("request_id", id), ("request", act), ("api_key", &self.api_key)] {
            request[name] = value.into();
        }
        request["schema_version"] = 2.into();
        request["date"] = http_date(now()).into();
        let text = request.to_string();
        STANDARD.encode(format!("{{\"request\":{text},\"signature\":\"{}\"}}", self.sign(&text)))
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    #[track_caller]
    pub fn refused(&self) -> (u16, String) {
        let value: Value = serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body));
        let names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["status", "code", "message"]);
        assert_eq!(value["status"], self.status);
        (self.status, value["code"].as_str().unwrap().to_owned())
    }
}
