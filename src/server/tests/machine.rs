//! A customer's machine: a device key, an id, and the request files its app writes.

use super::Licensed;
use crate::{
    licensing::{
        DeviceId, DeviceName, ProductCode, Timestamp,
        files::{Act, Grounds, KeyPair, Request, RequestDevice},
    },
    vault::random_bytes,
};

pub struct Machine {
    pub key: KeyPair,
    pub id: String,
    pub name: Option<String>,
    pub app: Option<String>,
    pub vm: Option<bool>,
}

impl Machine {
    /// A machine with a device key of its own.
    pub fn new(id: &str) -> Self {
        Self { key: KeyPair::from_seed(&random_bytes()), id: id.to_owned(), name: None, app: None, vm: None }
    }

    pub fn named(id: &str, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..Self::new(id) }
    }

    pub fn request(&self, act: Act, product: &str, grounds: Grounds) -> Request {
        Request {
            act,
            product: ProductCode::parse(product).unwrap(),
            id: uuid::Builder::from_random_bytes(random_bytes()).into_uuid().to_string(),
            made_at: Timestamp::from_seconds(1_795_000_000),
            grounds,
            device: RequestDevice {
                name: self.name.as_deref().map(|name| DeviceName::parse(name).unwrap()),
                app: self.app.clone(),
                vm: self.vm,
                ..RequestDevice::new(DeviceId::parse(&self.id).unwrap())
            },
            usage: None,
            variables: [].into(),
        }
    }

    pub fn sign(&self, request: &Request) -> String {
        request.sign(&self.key).unwrap()
    }

    pub fn activate(&self, license: &Licensed) -> String {
        self.sign(&self.request(Act::Activate, &license.product, Grounds::Key(license.key.clone())))
    }

    pub fn refresh(&self, license: &Licensed) -> String {
        self.sign(&self.request(Act::Refresh, &license.product, Grounds::License(license.id)))
    }

    pub fn release(&self, license: &Licensed) -> String {
        self.sign(&self.request(Act::Release, &license.product, Grounds::License(license.id)))
    }
}
