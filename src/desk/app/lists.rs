//! What an app may list: products, and, where the vendor lets it, the licenses of a machine and the users of a customer.

use super::{App, AppRefusal, sold, told};
use crate::{
    desk::{Desk, Fault, ProductView},
    licensing::{
        DeviceId, Email, ProductCode,
        activation::Activation,
        files::licensespring::BodyCustomer,
        license::License,
        product::{Authorization, Feature, Product, ProductState},
    },
    store::{Conn, Customer, LicenseUser, StoreError},
};

/// As many licenses of one machine, or of one customer in one product, as are listed.
const LISTED: i64 = 100;

/// A license of a machine.
pub struct DeviceLicense {
    pub product: Product,
    pub license: License,
    pub activation: Activation,
    pub customer: Option<BodyCustomer>,
    /// What the shop calls the order it was sold in.
    pub order: String,
}

/// The users of a customer's licenses of one product.
pub struct CustomerUsers {
    pub customer: BodyCustomer,
    /// With the license each is of, and the reference of its order.
    pub users: Vec<(LicenseUser, License, String)>,
}

impl Desk {
    /// What is public of a product.
    pub async fn app_product(&self, app: &App, code: &ProductCode) -> Result<Result<ProductView, AppRefusal>, Fault> {
        if let Err(refusal) = app.may(code, false) {
            return Ok(Err(refusal));
        }
        let mut conn = self.read().await?;
        let product = match sold(conn.product(code).await?) {
            Ok(product) => product,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let releases = conn.releases(product.id).await?;
        Ok(Ok(ProductView { product, releases, features: Vec::new(), policies: Vec::new() }))
    }

    /// The products an app may reach, those put away left out.
    pub async fn products_app(&self, app: &App) -> Result<Vec<(Product, Vec<Feature>)>, Fault> {
        let mut conn = self.read().await?;
        let mut all = Vec::new();
        for product in conn.products().await? {
            if product.state != ProductState::Archived && app.may(&product.code, false).is_ok() {
                let features = conn.features(product.id).await?;
                all.push((product, features));
            }
        }
        Ok(all)
    }

    /// The licenses a machine is or was activated on. Refuses unless the vendor lets apps ask.
    pub async fn device_licenses_app(
        &self,
        app: &App,
        device: &DeviceId,
    ) -> Result<Result<Vec<DeviceLicense>, AppRefusal>, Fault> {
        let settings = self.settings();
        if !settings.device_licenses {
            return Ok(Err(AppRefusal::Off("deviceLicenses")));
        }
        let mut conn = self.read().await?;
        let mut all = Vec::new();
        for activation in conn.activations_of_device(device, LISTED).await? {
            let Some((mut license, product, _)) = conn.license(activation.license).await? else { continue };
            let customer = customer_of(&mut conn, &license).await?;
            if app.may(&product.code, false).is_err() || !app.reaches(&license, customer.as_ref()) {
                continue;
            }
            license.turn_meters(self.now());
            let customer = customer.map(|customer| told(customer, settings.expose_customer));
            let order = reference(&mut conn, &license).await?;
            all.push(DeviceLicense { product, license, activation, customer, order });
        }
        Ok(Ok(all))
    }

    /// Who uses a customer's licenses of a product. Refuses unless the vendor lets apps ask, and of products licensed by key.
    pub async fn customer_users_app(
        &self,
        app: &App,
        code: &ProductCode,
        email: &Email,
    ) -> Result<Result<CustomerUsers, AppRefusal>, Fault> {
        let settings = self.settings();
        if !settings.customer_license_users {
            return Ok(Err(AppRefusal::Off("customerLicenseUsers")));
        }
        if let Err(refusal) = app.may(code, false) {
            return Ok(Err(refusal));
        }
        let mut conn = self.read().await?;
        let product = match sold(conn.product(code).await?) {
            Ok(product) => product,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if product.authorization == Authorization::Key {
            return Ok(Err(AppRefusal::NotByUser));
        }
        let Some(customer) = conn.customer_by_email(email).await? else { return Ok(Err(AppRefusal::NoCustomer)) };
        let (mut users, mut reached) = (Vec::new(), app.covers(&customer));
        for license in conn.licenses_of_customer(product.id, customer.id, LISTED).await? {
            if !app.reaches(&license, Some(&customer)) {
                continue;
            }
            reached = true;
            let order = reference(&mut conn, &license).await?;
            for user in conn.license_users(license.id).await? {
                users.push((user, license.clone(), order.clone()));
            }
        }
        // Of somebody else's customers a client is told what it is told of nobody's.
        if !reached {
            return Ok(Err(AppRefusal::NoCustomer));
        }
        Ok(Ok(CustomerUsers { customer: told(customer, settings.expose_customer), users }))
    }
}

/// Whose license it is.
pub(super) async fn customer_of(conn: &mut Conn, license: &License) -> Result<Option<Customer>, StoreError> {
    match license.customer {
        Some(id) => conn.customer(id).await,
        None => Ok(None),
    }
}

/// What the shop calls the order a license was sold in.
pub(super) async fn reference(conn: &mut Conn, license: &License) -> Result<String, StoreError> {
    let order = match license.order {
        Some(id) => conn.order(id).await?,
        None => None,
    };
    Ok(order.map(|order| order.reference).unwrap_or_default())
}
