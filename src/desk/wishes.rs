//! Features as they are asked for when a license is issued or edited: checked against what the product has.

use super::ActError;
use crate::licensing::{
    Timestamp,
    license::{Entitlement, Limit, Meter},
    product::{Feature, FeatureKind},
};

/// A feature a license is to include.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureWish {
    pub code: String,
    /// How much of it; only for features that are consumed.
    pub max: Option<Limit>,
    pub valid_until: Option<Timestamp>,
    /// Shared by so many devices at once.
    pub floating: Option<u32>,
}

/// What the wishes become. Refuses a feature the product does not have, one named twice, and an amount of one that is not consumed.
pub fn entitlements(features: &[Feature], wishes: &[FeatureWish]) -> Result<Vec<Entitlement>, ActError> {
    let mut made: Vec<Entitlement> = Vec::new();
    for wish in wishes {
        let refuse = |why: &str| Err(ActError::field("feature", format!("{} {why}", wish.code)));
        let Some(feature) = features.iter().find(|feature| feature.code.eq_ignore_ascii_case(&wish.code)) else {
            return refuse("is no feature of this product.");
        };
        if made.iter().any(|made| made.code == feature.code) {
            return refuse("is named twice.");
        }
        if wish.max.is_some() && feature.kind != FeatureKind::Consumption {
            return refuse("is not counted, so it has no maximum.");
        }
        let meter = (feature.kind == FeatureKind::Consumption).then(|| Meter {
            used: 0,
            max: wish.max.unwrap_or(Limit::Unlimited),
            overage: Limit::AtMost(0),
            period: None,
            negatives: false,
            resets_at: None,
        });
        made.push(Entitlement {
            code: feature.code.clone(),
            name: feature.name.clone(),
            kind: feature.kind,
            valid_until: wish.valid_until,
            meter,
            floating: wish.floating,
        });
    }
    Ok(made)
}

/// Adds wishes to what is there: a feature that is named again changes in what was said of it, and keeps what was used of it and
/// everything else; features that are not named stay. Refuses what [`entitlements`] refuses.
pub fn merge_entitlements(there: &mut Vec<Entitlement>, features: &[Feature], wishes: &[FeatureWish]) -> Result<(), ActError> {
    for (wished, wish) in entitlements(features, wishes)?.into_iter().zip(wishes) {
        let Some(known) = there.iter_mut().find(|known| known.code.eq_ignore_ascii_case(&wished.code)) else {
            there.push(wished);
            continue;
        };
        known.valid_until = wish.valid_until.or(known.valid_until);
        known.floating = wish.floating.or(known.floating);
        match &mut known.meter {
            Some(meter) => meter.max = wish.max.unwrap_or(meter.max),
            none => *none = wished.meter,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::licensing::{FeatureId, ProductId};

    fn wish(code: &str, max: Option<Limit>) -> FeatureWish {
        FeatureWish { code: code.to_owned(), max, valid_until: None, floating: None }
    }

    fn features() -> [Feature; 2] {
        let feature = |id, code: &str, kind| Feature {
            id: FeatureId(id),
            product: ProductId(1),
            code: code.to_owned(),
            name: code.to_owned(),
            kind,
            bit: None,
        };
        [feature(1, "export", FeatureKind::Activation), feature(2, "pages", FeatureKind::Consumption)]
    }

    #[test]
    fn a_feature_named_again_keeps_what_was_used_and_what_was_not_named() {
        let features = features();
        let until = Some(Timestamp::from_millis(9));
        let first = FeatureWish { valid_until: until, ..wish("pages", Some(Limit::AtMost(9))) };
        let mut there = entitlements(&features, &[first]).unwrap();
        there[0].meter.as_mut().unwrap().used = 7;
        merge_entitlements(&mut there, &features, &[wish("export", None)]).unwrap();
        assert_eq!(there.iter().map(|known| known.code.as_str()).collect::<Vec<_>>(), ["pages", "export"]);
        merge_entitlements(&mut there, &features, &[wish("PAGES", Some(Limit::AtMost(20)))]).unwrap();
        let meter = there[0].meter.unwrap();
        assert_eq!((there.len(), meter.used, meter.max, there[0].valid_until), (2, 7, Limit::AtMost(20), until));
        assert!(merge_entitlements(&mut there, &features, &[wish("scan", None)]).is_err());
    }

    #[test]
    fn a_wish_the_product_cannot_grant_is_refused() {
        let features = features();
        let made = entitlements(&features, &[wish("EXPORT", None), wish("pages", Some(Limit::AtMost(9)))]).unwrap();
        assert_eq!(made[0].code, "export");
        assert_eq!(made[1].meter.unwrap().max, Limit::AtMost(9));
        assert_eq!(entitlements(&features, &[wish("pages", None)]).unwrap()[0].meter.unwrap().max, Limit::Unlimited);
        for wishes in [
            vec![wish("scan", None)],
            vec![wish("export", None), wish("Export", None)],
            vec![wish("export", Some(Limit::AtMost(1)))],
        ] {
            assert_eq!(entitlements(&features, &wishes).unwrap_err().code(), "bad_field");
        }
    }
}
