//! Result pages: what was answered, kept for whoever holds the link.

use serde::{Deserialize, Serialize};

use super::{ActError, Desk, Fault};
use crate::{
    licensing::{LicenseId, Timestamp, decide::Holder, files::check::Verdict},
    store::ResultPage,
    vault::{Purpose, Token},
};

/// The page of an activation by the form.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ActivationPage {
    pub license: LicenseId,
    pub product_name: String,
    pub product_code: String,
    pub key_ends: Option<String>,
    pub device_id: String,
    pub device_name: Option<String>,
    pub valid_until: Option<Timestamp>,
    pub maintenance_until: Option<Timestamp>,
    pub seats_taken: u32,
    pub seats: Option<u32>,
    pub made: Timestamp,
    pub file_name: String,
    pub computer_key: String,
}

/// The page of one or many files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchPage {
    pub made: Timestamp,
    pub rows: Vec<BatchRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchRow {
    /// The name the file was sent under, made safe to show.
    pub sent_as: String,
    pub product_name: Option<String>,
    pub device: Option<String>,
    /// What checking the file said, as the browser would have said it before it was sent.
    #[serde(default)]
    pub checks: Vec<BatchCheck>,
    pub verdict: BatchVerdict,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BatchCheck {
    pub verdict: Verdict,
    pub message: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum BatchVerdict {
    /// A file to take back: a license or a receipt.
    Answered {
        file_name: String,
        body: String,
        receipt: bool,
    },
    Refused {
        code: String,
        what: String,
        why: String,
        next: String,
        reference: String,
        holders: Vec<Holder>,
    },
}

impl Desk {
    /// The activation page behind a link. Not there when its time is over.
    pub async fn activation_page(&self, token: &Token) -> Result<ActivationPage, ActError> {
        self.page_content(token, "activation").await
    }

    /// The batch page behind a link. Not there when its time is over.
    pub async fn batch_page(&self, token: &Token) -> Result<BatchPage, ActError> {
        self.page_content(token, "batch").await
    }

    async fn page_content<T: serde::de::DeserializeOwned>(&self, token: &Token, kind: &str) -> Result<T, ActError> {
        let page = self.read().await?.page(&token.hash().0, self.now()).await?;
        let page = page.filter(|page| page.kind == kind).ok_or(ActError::NotFound)?;
        Ok(serde_json::from_str(&page.content).map_err(|_| Fault::Kept("a result page"))?)
    }

    /// Keeps the answers to a batch of files under a link, for thirty days. `sent` names the form that was sent and what was in it:
    /// the same one sent twice ends on the same page, which says what is true now, because refusals are not remembered.
    pub async fn keep_batch(&self, rows: Vec<BatchRow>, sent: Option<&[u8]>) -> Result<Token, ActError> {
        let now = self.now();
        let token = match sent {
            Some(sent) => self.vault.token_key(Purpose::new("batch-page")).token_for(sent),
            None => Token::random(),
        };
        let page = ResultPage {
            token_hash: token.hash().0.to_vec(),
            kind: "batch".to_owned(),
            content: serde_json::to_string(&BatchPage { made: now, rows }).expect("pages are plain data"),
            created: now,
            expires: now.plus_days(30),
        };
        self.store
            .write(move |conn| {
                conn.keep_page(page.clone());
                Box::pin(async { Ok(()) })
            })
            .await?;
        Ok(token)
    }

    /// Forgets what nobody can read any more, and takes signing keys out of use whose overlap is over.
    pub async fn housekeeping(&self) -> Result<(), ActError> {
        let now = self.now();
        let refusals_before = now.plus_days(-self.settings().keep_refusals_days);
        self.store.write(move |conn| Box::pin(async move { conn.sweep(now, refusals_before).await })).await?;
        self.tidy_keys().await
    }
}
