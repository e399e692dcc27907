//! A request file for a bundle (§8.5): it asks for a license of each of its products, and gets all of them or none.

use super::{
    Desk, Fault, Refused,
    answer::{FileAnswer, FileRequest},
    answer_licensespring::{Checked, Outcome, about},
    app::{App, AppRefusal},
    refusal::{Refusal, new_reference, unknown_product},
};
use crate::{
    licensing::{
        ProductCode,
        decide::ReleaseRefusal,
        files::{Code, Problem, base64, licensespring::LicenseSpringRequest},
    },
    store::StoreError,
};

/// Why nothing of it was granted; for taking the transaction back.
#[derive(Debug, thiserror::Error)]
#[error("a part of the bundle was refused")]
struct PartRefused(Refusal);

type Parts = Result<Vec<FileAnswer>, Refused>;

impl Desk {
    /// Answers a request file of a bundle that an app carries, in the order of its products. A release gives back every seat the machine
    /// holds of them, and is refused where it holds none.
    pub async fn answer_bundle_app(&self, app: &App, file: FileRequest) -> Result<Result<Parts, AppRefusal>, Fault> {
        match app.may_change() {
            Ok(()) => Ok(Ok(self.answer_bundle(&file).await?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn answer_bundle(&self, file: &FileRequest) -> Result<Parts, Fault> {
        let json =
            std::str::from_utf8(&file.bytes).ok().and_then(|text| base64::from_standard(text.trim()).ok()).unwrap_or_default();
        let request = match LicenseSpringRequest::parse(&json) {
            Ok(request) => request,
            Err(problem) => return Ok(Err(self.refuse_file(problem, file).await?)),
        };
        let about = about(&request, file);
        let codes = self.bundled(&request).await?;
        if codes.is_empty() {
            return Ok(Err(self.refuse_with(unknown_product(&request.product), about).await?));
        }
        let mut parts = Vec::with_capacity(codes.len());
        let mut secrets = Vec::with_capacity(codes.len());
        for product in codes {
            let request = request.for_part(product);
            let (app, keys) = match self.keys_for(&request).await? {
                Ok(found) => found,
                Err(refusal) => return Ok(Err(self.refuse_with(refusal, about).await?)),
            };
            let signed = keys.into_iter().map(|key| (request.check(Some(key.as_slice())), key));
            let Some((verdict, shared_key)) = signed.into_iter().find(|(verdict, _)| verdict.is_valid()) else {
                return Ok(Err(self.refuse_with(Problem::new(Code::BadSignature).into(), about).await?));
            };
            let user = match self.user_of(&request).await? {
                Ok(user) => user,
                Err(refusal) => return Ok(Err(self.refuse_with(refusal, about).await?)),
            };
            secrets.push(shared_key);
            parts.push(Checked { app, request, verdict, user, confirmed: file.confirmed });
        }
        let (now, desk, all, noted) = (self.now(), self.clone(), parts.clone(), about.clone());
        let granted = self.store.write(move |conn| {
            let (desk, all, about) = (desk.clone(), all.clone(), noted.clone());
            Box::pin(async move {
                let mut granted = Vec::with_capacity(all.len());
                for part in &all {
                    let mark = conn.mark();
                    let outcome = desk.licensespring_in(conn, part, about.clone(), &new_reference(), now).await?;
                    granted.push(match outcome {
                        // A part that the machine does not hold: the others are given back.
                        Outcome::Refused(refused)
                            if matches!(refused.refusal, Refusal::Release(ReleaseRefusal::NotActivated)) =>
                        {
                            // Nobody was refused, so no refusal is on record.
                            conn.forget_after(mark);
                            None
                        }
                        Outcome::Refused(refused) => return Err(StoreError::gave_up(PartRefused(refused.refusal))),
                        other => Some(other),
                    });
                }
                if granted.iter().all(Option::is_none) {
                    return Err(StoreError::gave_up(PartRefused(ReleaseRefusal::NotActivated.into())));
                }
                Ok(granted)
            })
        });
        let granted = match granted.await {
            Ok(granted) => granted,
            Err(StoreError::GaveUp(why)) => match why.downcast::<PartRefused>() {
                Ok(refused) => return Ok(Err(self.refuse_with(refused.0, about).await?)),
                Err(why) => return Err(StoreError::GaveUp(why).into()),
            },
            Err(error) => return Err(error.into()),
        };
        let mut answers = Vec::with_capacity(parts.len());
        for ((part, secret), outcome) in parts.into_iter().zip(secrets).zip(granted) {
            match outcome {
                Some(Outcome::Activated { facts, activation }) => {
                    match self.give_licensespring(part, *facts, *activation, secret, about.clone(), now).await? {
                        Ok(answer) => answers.push(answer),
                        Err(refused) => return Ok(Err(refused)),
                    }
                }
                Some(Outcome::Answered(answer, promised)) => {
                    if let Some((seal, signer)) = promised {
                        signer.recorded(&seal);
                    }
                    answers.push(answer);
                }
                Some(Outcome::Refused(_)) | None => {}
            }
        }
        Ok(Ok(answers))
    }

    /// The products of the bundle a request names: as `bundle_code`, or as its product.
    async fn bundled(&self, request: &LicenseSpringRequest) -> Result<Vec<ProductCode>, Fault> {
        let named = request.bundle_code.as_deref().map_or_else(|| Ok(request.product.clone()), ProductCode::parse);
        let Ok(code) = named else { return Ok(Vec::new()) };
        let mut conn = self.read().await?;
        let Some(bundle) = conn.bundle(&code).await? else { return Ok(Vec::new()) };
        Ok(conn.bundle_products(bundle.id).await?.into_iter().map(|product| product.code).collect())
    }
}
