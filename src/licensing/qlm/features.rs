//! Features as sets of bits: `set:mask;set:mask;` (§4). Four sets of eight.

use alloc::{format, string::String};

use serde::{Deserialize, Serialize};

use super::ArgError;

/// What is switched on, a byte a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureMasks(pub [u8; 4]);

impl FeatureMasks {
    /// Reads `0:7;1:2`, also with commas. A set that is named twice has the bits of both.
    pub fn parse(name: &'static str, text: &str) -> Result<Self, ArgError> {
        let wrong = || ArgError::kind(name, "a list of set:mask, sets 0 to 3 and masks 0 to 255, such as 0:7;1:2", text);
        let mut masks = [0_u8; 4];
        for part in text.split([';', ',']).map(str::trim).filter(|part| !part.is_empty()) {
            let (set, mask) = part.split_once(':').ok_or_else(wrong)?;
            let set: usize = set.trim().parse().map_err(|_| wrong())?;
            let mask: u8 = mask.trim().parse().map_err(|_| wrong())?;
            *masks.get_mut(set).ok_or_else(wrong)? |= mask;
        }
        Ok(Self(masks))
    }

    /// As documents carry it: sets without a bit are left out.
    #[must_use]
    pub fn text(self) -> String {
        let sets = self.0.iter().enumerate().filter(|(_, mask)| **mask != 0);
        sets.map(|(set, mask)| format!("{set}:{mask};")).collect()
    }

    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == [0; 4]
    }

    /// Whether a feature with this set and mask is switched on.
    #[must_use]
    pub fn has(self, set: u8, mask: u8) -> bool {
        mask != 0 && self.0.get(usize::from(set)).is_some_and(|bits| bits & mask == mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_read_in_every_form_clients_write_and_written_in_one() {
        for text in ["0:7;1:130;", "0:7,1:130", " 1:2 ; 0:3;0:4;1:128"] {
            assert_eq!(FeatureMasks::parse("is_features", text).unwrap().text(), "0:7;1:130;", "{text}");
        }
        assert!(FeatureMasks::parse("is_features", ";").unwrap().is_empty());
        for text in ["7", "4:1", "0:256", "0:-1", "0:x", "0:1:2", "a:1", "0:1;2"] {
            assert!(FeatureMasks::parse("is_features", text).is_err(), "{text}");
        }
        let masks = FeatureMasks([6, 0, 0, 0]);
        assert!(
            masks.has(0, 2) && masks.has(0, 6) && !masks.has(0, 1) && !masks.has(1, 2) && !masks.has(9, 1) && !masks.has(0, 0)
        );
    }
}
