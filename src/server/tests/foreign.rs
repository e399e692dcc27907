//! An app of LicenseSpring's kind: an API key, the shared key that ships in it, and the request files it writes.

use serde_json::{Map, Value, json};

use super::TestApp;
use crate::{
    desk::Visitor,
    licensing::files::{base64, licensespring::hmac},
};

pub struct ForeignApp {
    pub id: i64,
    pub api_key: String,
    pub shared_key: String,
}

impl ForeignApp {
    pub async fn new(app: &TestApp, products: Option<Vec<String>>, read_only: bool) -> Self {
        let made = app.desk().add_api_key(&Visitor::Operator, "Sample", products, read_only, None).await.unwrap();
        app.secret(made.shared_key.clone());
        Self { id: made.id, api_key: made.api_key, shared_key: made.shared_key }
    }

    /// The app whose files lie in `tests/samples`.
    pub async fn of_the_samples(app: &TestApp) -> Self {
        let api_key = "11abafc3-10b2-474a-b818-aaaf97c7512e".to_owned();
        let shared_key = "kw4qSnpSwXzgiv5yxYpZZmFEd9QAeiKTQ6OuyMja".to_owned();
        app.secret(shared_key.clone());
        let given = Some((api_key.clone(), shared_key.clone()));
        let made = app.desk().add_api_key(&Visitor::Operator, "Samples", None, false, given).await.unwrap();
        Self { id: made.id, api_key, shared_key }
    }

    fn members(&self, act: &str, product: &str, hardware_id: &str, more: Value) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("request".into(), act.into());
        members.insert("product".into(), product.into());
        members.insert("hardware_id".into(), hardware_id.into());
        members.insert("api_key".into(), self.api_key.clone().into());
        members.insert("date".into(), "Sat, 21 Nov 2026 00:02:03 GMT".into());
        for (name, value) in more.as_object().unwrap() {
            members.insert(name.clone(), value.clone());
        }
        members
    }

    /// An envelope: everything in it is signed.
    pub fn v2(&self, act: &str, product: &str, hardware_id: &str, more: Value) -> Vec<u8> {
        let text = Value::Object(self.members(act, product, hardware_id, more)).to_string();
        self.envelope(&text, &hmac::sign(self.shared_key.as_bytes(), text.as_bytes()))
    }

    pub fn envelope(&self, text: &str, signature: &str) -> Vec<u8> {
        base64::standard(format!("{{\"request\":{text},\"signature\":\"{signature}\"}}").as_bytes()).into_bytes()
    }

    /// A flat file: date, key or user, hardware id and API key are signed, nothing else.
    pub fn v1_members(&self, act: &str, product: &str, hardware_id: &str, more: Value) -> Map<String, Value> {
        let mut members = self.members(act, product, hardware_id, more);
        let principal = members.get("license_key").or(members.get("username")).unwrap().as_str().unwrap().to_owned();
        let date = members["date"].as_str().unwrap().to_owned();
        let text = hmac::string_to_sign(&date, &principal, hardware_id, &self.api_key);
        members.insert("signature".into(), hmac::sign(self.shared_key.as_bytes(), text.as_bytes()).into());
        members
    }

    pub fn v1(&self, act: &str, product: &str, hardware_id: &str, more: Value) -> Vec<u8> {
        flat(&self.v1_members(act, product, hardware_id, more))
    }
}

pub fn flat(members: &Map<String, Value>) -> Vec<u8> {
    base64::standard(json!(members).to_string().as_bytes()).into_bytes()
}
