//! Trials: which terms they have, and who may have one.

use super::{
    LicenseId,
    license::{Expiry, LicenseType, Terms},
    product::Product,
};

/// What is known of trials of a product when one is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrialFacts {
    /// The trial this machine had, and whether it was for the address that asks now (or for none, where licenses are by key).
    pub of_machine: Option<(LicenseId, bool)>,
    /// The trial this address had, where licenses are by user.
    pub of_address: Option<LicenseId>,
    /// The vendor lets a machine begin again.
    pub several: bool,
}

/// Why there is no trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrialRefusal {
    #[error("trial_not_allowed")]
    NotAllowed,
    /// This machine had its trial under another address.
    #[error("trial_of_another_user")]
    OfAnotherUser,
    #[error("email_missing")]
    EmailMissing,
}

/// The trial there is already, or that a new one may be made.
pub fn trial(product: &Product, by_user: bool, has_email: bool, facts: TrialFacts) -> Result<Option<LicenseId>, TrialRefusal> {
    if by_user && !has_email {
        return Err(TrialRefusal::EmailMissing);
    }
    // A trial that was begun is answered as long as it is there; a new one takes a product that has trials.
    let new = if product.rules.trial_days > 0 { Ok(None) } else { Err(TrialRefusal::NotAllowed) };
    if facts.several {
        return new;
    }
    match (facts.of_machine, facts.of_address.filter(|_| by_user)) {
        (Some((license, true)), _) | (None, Some(license)) => Ok(Some(license)),
        (Some((_, false)), Some(license)) => Ok(Some(license)),
        (Some((license, false)), None) => {
            if by_user {
                Err(TrialRefusal::OfAnotherUser)
            } else {
                Ok(Some(license))
            }
        }
        (None, None) => new,
    }
}

/// The terms of a trial: those of a policy, or of a license for one machine. It lasts the product's days from its first activation,
/// unless the policy says when it ends.
#[must_use]
pub fn trial_terms(product: &Product, policy: Option<&Terms>) -> Terms {
    let mut terms = policy.cloned().unwrap_or_else(|| Terms { kind: LicenseType::TimeLimited, ..Terms::default() });
    terms.trial = true;
    if terms.expiry == Expiry::NEVER {
        terms.expiry.days_after_first_activation = Some(product.rules.trial_days);
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{
        ProductCode, ProductId, Timestamp,
        product::{Authorization, ProductRules, ProductState},
    };
    use alloc::borrow::ToOwned;

    fn product(trial_days: u32) -> Product {
        Product {
            id: ProductId(1),
            code: ProductCode::parse("press").unwrap(),
            number: None,
            name: "Press".to_owned(),
            authorization: Authorization::Both,
            state: ProductState::Enabled,
            rules: ProductRules { trial_days, ..ProductRules::default() },
            created: Timestamp::from_seconds(0),
            revision: 1,
        }
    }

    const ONE: LicenseId = LicenseId(1);
    const TWO: LicenseId = LicenseId(2);

    #[test]
    fn a_machine_and_an_address_have_one_trial() {
        let (with, without) = (product(30), product(0));
        let none = TrialFacts::default();
        let machine = |same: bool| TrialFacts { of_machine: Some((ONE, same)), ..none };
        let address = TrialFacts { of_address: Some(TWO), ..none };
        let both = TrialFacts { of_address: Some(TWO), ..machine(false) };
        assert_eq!(trial(&with, false, false, none), Ok(None));
        assert_eq!(trial(&without, false, false, none), Err(TrialRefusal::NotAllowed));
        // One that was begun goes on, whatever the product gives to others now.
        assert_eq!(trial(&without, false, false, machine(true)), Ok(Some(ONE)));
        assert_eq!(trial(&with, true, false, none), Err(TrialRefusal::EmailMissing));
        assert_eq!(trial(&with, true, true, machine(true)), Ok(Some(ONE)));
        assert_eq!(trial(&with, true, true, machine(false)), Err(TrialRefusal::OfAnotherUser));
        assert_eq!(trial(&with, true, true, address), Ok(Some(TWO)));
        assert_eq!(trial(&with, true, true, both), Ok(Some(TWO)));
        assert_eq!(trial(&with, false, true, both), Ok(Some(ONE)), "where licenses are by key, an address is a detail");
        assert_eq!(trial(&with, true, true, TrialFacts { several: true, ..both }), Ok(None));
    }

    #[test]
    fn a_trial_ends_by_its_policy_or_after_the_products_days() {
        let terms = trial_terms(&product(30), None);
        assert!(terms.trial && terms.kind == LicenseType::TimeLimited);
        assert_eq!(terms.expiry.days_after_first_activation, Some(30));
        let policy = Terms { expiry: Expiry { days_after_issue: Some(7), ..Expiry::NEVER }, ..Terms::default() };
        let terms = trial_terms(&product(30), Some(&policy));
        assert_eq!((terms.expiry, terms.kind), (policy.expiry, LicenseType::Perpetual));
    }
}
