use alloc::{borrow::ToOwned, format, string::ToString, vec, vec::Vec};

use proptest::prelude::*;

use super::*;
use crate::licensing::{
    ActivationKey, LicenseId, ProductCode, ProductId,
    activation::{Counted, Device},
    floating::Hold,
    license::{Actor, Expiry, Floating, Maintenance, Terms},
    product::{Authorization, ProductRules},
};

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

fn product() -> Product {
    Product {
        id: ProductId(1),
        code: ProductCode::parse("press").unwrap(),
        number: None,
        name: "Press Designer 4".to_owned(),
        authorization: Authorization::Key,
        state: ProductState::Enabled,
        rules: ProductRules::default(),
        created: NOW,
        revision: 1,
    }
}

fn license(seats: u32) -> License {
    License {
        id: LicenseId(1),
        product: ProductId(1),
        key: Some(ActivationKey::from_random([7; 10])),
        state: LicenseState::Enabled,
        terms: Terms { seats: Limit::AtMost(seats), ..Terms::default() },
        seats_taken: 0,
        transfers_used: 0,
        first_activated: None,
        customer: None,
        order: None,
        policy: None,
        subscription: None,
        note: "".to_owned(),
        created: NOW,
        revision: 1,
    }
}

fn activation(id: i64, state: ActivationState) -> Activation {
    Activation {
        id: ActivationId(id),
        license: LicenseId(1),
        device: Device::bare(DeviceId::parse(&format!("device-{id}")).unwrap()),
        state,
        how: How::Online,
        device_key: None,
        user: None,
        first_activated: NOW,
        last_seen: NOW,
        rebinds: Counted::default(),
        offline_releases: Counted::default(),
        use_seq: 0,
        use_totals: Default::default(),
        file_keys: None,
        bound: None,
        contact: None,
        tpm_key: None,
        api_key: None,
    }
}

fn active(id: i64) -> Activation {
    activation(id, ActivationState::Active { since: NOW.plus_days(-30) })
}

fn online() -> ActivationAsk<'static> {
    ActivationAsk {
        how: How::Online,
        licensespring_file: false,
        device_key: None,
        virtual_machine: None,
        keeps_slot: true,
        by_tpm: false,
        version: None,
    }
}

fn facts<'a>(product: &'a Product, license: &'a License, known: Option<&'a Activation>) -> ActivationFacts<'a> {
    ActivationFacts {
        product,
        license,
        known,
        vacated: None,
        vacated_seats: 0,
        blocked: false,
        slots: InUse::default(),
        holders: &[],
        user: None,
    }
}

#[test]
fn a_user_has_no_more_machines_than_the_license_gives_them() {
    let (product, license) = (product(), license(9));
    let of = |most, taken| ActivationFacts { user: Some(UserSeats { most, taken }), ..facts(&product, &license, None) };
    assert!(activate(&of(2, 1), &online(), NOW).unwrap().takes_seat);
    for (most, taken) in [(2, 2), (2, 3), (1, 1), (0, 0)] {
        let refusal = activate(&of(most, taken), &online(), NOW).unwrap_err();
        assert_eq!(refusal, ActivationRefusal::UserSeatsExhausted { seats: most });
    }
    // The license's own seats are told first: releasing one of the user's machines would not be enough to know.
    let full = License { seats_taken: 9, ..license.clone() };
    let asked = ActivationFacts { user: Some(UserSeats { most: 1, taken: 1 }), ..facts(&product, &full, None) };
    assert_eq!(activate(&asked, &online(), NOW).unwrap_err().code(), "seats_exhausted");
}

fn refused(product: &Product, license: &License, ask: &ActivationAsk<'_>) -> &'static str {
    activate(&facts(product, license, None), ask, NOW).expect_err("refused").code()
}

#[test]
fn what_stands_in_the_way_is_named() {
    let (p, l) = (product(), license(1));
    let offline = ActivationAsk { how: How::Offline, ..online() };

    let mut other = p.clone();
    other.id = ProductId(2);
    assert_eq!(refused(&other, &l, &online()), "wrong_product");
    let mut off = p.clone();
    off.state = ProductState::Disabled;
    assert_eq!(refused(&off, &l, &online()), "product_disabled");

    let with = |change: &dyn Fn(&mut License)| {
        let mut l = l.clone();
        change(&mut l);
        l
    };
    let disabled = with(&|l| l.state = l.state.clone().disable(Actor::Operator, "".to_owned(), NOW).unwrap());
    assert_eq!(refused(&p, &disabled, &online()), "license_disabled");
    let archived = with(&|l| l.state = l.state.clone().archive(Actor::Operator, "".to_owned(), NOW).unwrap());
    assert_eq!(refused(&p, &archived, &online()), "license_archived");
    assert_eq!(refused(&p, &with(&|l| l.terms.start = Some(NOW.plus_millis(1))), &online()), "not_started");
    assert_eq!(refused(&p, &with(&|l| l.terms.expiry = Expiry::on(NOW)), &online()), "license_expired");
    let trial = with(&|l| {
        l.terms.expiry = Expiry::on(NOW);
        l.terms.trial = true;
    });
    assert_eq!(refused(&p, &trial, &online()), "trial_expired");
    assert_eq!(refused(&p, &with(&|l| l.seats_taken = 1), &online()), "seats_exhausted");
    assert_eq!(refused(&p, &with(&|l| l.terms.offline_allowed = false), &offline), "offline_not_allowed");
    let subscription = with(&|l| l.terms.kind = LicenseType::Subscription);
    assert_eq!(
        refused(&p, &subscription, &ActivationAsk { licensespring_file: true, ..offline.clone() }),
        "offline_not_for_this_type"
    );
    assert!(activate(&facts(&p, &subscription, None), &offline, NOW).is_ok());
    let covered = with(&|l| l.terms.maintenance = Maintenance::Until(NOW));
    let version = Some(Version { major: 5, minor: 0, released: NOW });
    assert_eq!(refused(&p, &covered, &ActivationAsk { version, ..online() }), "version_not_covered");

    let mut no_vm = p.clone();
    no_vm.rules.refuse_virtual_machines = true;
    assert_eq!(refused(&no_vm, &l, &ActivationAsk { virtual_machine: Some(true), ..online() }), "virtual_machine");
    assert!(activate(&facts(&no_vm, &l, None), &online(), NOW).is_ok());

    let mut keyed = p.clone();
    keyed.rules.device_key = DeviceKeyRule::Required;
    assert_eq!(refused(&keyed, &l, &online()), "device_key_required");

    let floating = with(&|l| {
        l.terms.seats = Limit::Unlimited;
        l.terms.floating = Some(Floating { slots: 2, borrow_hours: 0 });
    });
    let full = ActivationFacts { slots: InUse { others: 2, own: None }, ..facts(&p, &floating, None) };
    assert_eq!(activate(&full, &online(), NOW).unwrap_err(), ActivationRefusal::FloatingFull { slots: 2 });
    // An app that calls activates beside them and waits for a slot; one that has a seat so gets no file without one.
    let calls = ActivationAsk { keeps_slot: false, ..online() };
    assert!(!activate(&full, &calls, NOW).unwrap().keeps_slot);
    let waiting = active(1);
    let holds = ActivationFacts { known: Some(&waiting), ..full.clone() };
    assert!(activate(&holds, &calls, NOW).is_ok());
    assert_eq!(activate(&holds, &online(), NOW).unwrap_err(), ActivationRefusal::FloatingFull { slots: 2 });
    let own = ActivationFacts { slots: InUse { others: 2, own: Some(Hold::Kept) }, ..holds };
    assert!(activate(&own, &online(), NOW).unwrap().keeps_slot);

    let blocked = ActivationFacts { blocked: true, ..facts(&p, &l, None) };
    assert_eq!(activate(&blocked, &online(), NOW).unwrap_err(), ActivationRefusal::DeviceBlocked);
    let barred = activation(1, ActivationState::Active { since: NOW }.revoke(Actor::Operator, "".to_owned(), NOW));
    assert_eq!(activate(&facts(&p, &l, Some(&barred)), &online(), NOW).unwrap_err(), ActivationRefusal::DeviceRevoked);
}

#[test]
fn an_expired_license_in_its_grace_grants_nothing_new() {
    let mut l = license(1);
    l.terms.expiry = Expiry::on(NOW);
    l.terms.grace_hours = 48;
    assert_eq!(l.use_ends(), Some(NOW.plus_hours(48)));
    assert_eq!(refused(&product(), &l, &online()), "license_expired");
}

#[test]
fn a_refusal_for_seats_names_who_holds_them() {
    let (p, mut l) = (product(), license(1));
    l.seats_taken = 1;
    let holders = [Holder::new(&DeviceId::parse("press-7-A53F0CBC").unwrap(), None, NOW)];
    let facts = ActivationFacts { holders: &holders, ..facts(&p, &l, None) };
    assert_eq!(activate(&facts, &online(), NOW), Err(ActivationRefusal::SeatsExhausted { seats: 1, holders: holders.to_vec() }));
}

#[test]
fn a_device_that_holds_a_seat_gets_it_again_for_nothing_even_when_all_are_taken() {
    let (p, mut l) = (product(), license(1));
    l.seats_taken = 1;
    let known = active(1);
    let grant = activate(&facts(&p, &l, Some(&known)), &online(), NOW).unwrap();
    assert_eq!(grant, Grant { takes_seat: false, transfer_of: None, rebind: false, keeps_slot: false });
}

#[test]
fn an_activation_with_a_device_key_is_not_served_without_it() {
    let (p, l) = (product(), license(1));
    let mut known = active(1);
    known.device_key = Some(DeviceKey("first".to_owned()));
    assert_eq!(activate(&facts(&p, &l, Some(&known)), &online(), NOW), Err(ActivationRefusal::DeviceKeyRequired));
}

#[test]
fn another_device_key_is_a_rebind_and_rebinds_are_limited() {
    let (p, l) = (product(), license(1));
    let mut known = active(1);
    known.device_key = Some(DeviceKey("first".to_owned()));
    let shown = DeviceKey("second".to_owned());
    let ask = ActivationAsk { device_key: Some(&shown), ..online() };
    assert!(activate(&facts(&p, &l, Some(&known)), &ask, NOW).unwrap().rebind);
    known.rebinds = Counted { times: 3, since: Some(NOW) };
    assert_eq!(activate(&facts(&p, &l, Some(&known)), &ask, NOW), Err(ActivationRefusal::RebindLimit { times: 3 }));
    assert!(activate(&facts(&p, &l, Some(&known)), &ask, NOW.plus_days(366)).is_ok());
}

#[test]
fn a_first_key_on_a_known_device_is_a_rebind_too() {
    let (p, l, known) = (product(), license(1), active(1));
    let shown = DeviceKey("first".to_owned());
    assert!(activate(&facts(&p, &l, Some(&known)), &ActivationAsk { device_key: Some(&shown), ..online() }, NOW).unwrap().rebind);
}

#[test]
fn a_seat_retaken_by_another_device_is_a_transfer_and_transfers_are_limited() {
    let (p, mut l) = (product(), license(1));
    let vacated = Some(ActivationId(7));
    let take = |l: &License| activate(&ActivationFacts { vacated, vacated_seats: 1, ..facts(&p, l, None) }, &online(), NOW);
    assert_eq!(take(&l).unwrap().transfer_of, vacated);
    l.terms.transfers = TransferLimit::Forbidden;
    assert_eq!(take(&l), Err(ActivationRefusal::TransferLimit { used: 0 }));
    l.terms.transfers = TransferLimit::AtMost(2);
    l.transfers_used = 1;
    assert!(take(&l).is_ok());
    l.transfers_used = 2;
    assert_eq!(take(&l), Err(ActivationRefusal::TransferLimit { used: 2 }));
}

#[test]
fn only_the_devices_own_key_releases_it() {
    let p = product();
    let mut known = active(1);
    known.device_key = Some(DeviceKey("own".to_owned()));
    let (own, other) = (DeviceKey("own".to_owned()), DeviceKey("other".to_owned()));
    assert_eq!(release(&p, Some(&known), &ReleaseProof::DeviceKey(&other), NOW), Err(ReleaseRefusal::NotThisDevice));
    let file = ReleaseProof::LicenseSpringFile { api_key: "app", covers_request: true, confirmed: true };
    assert_eq!(release(&p, Some(&known), &file, NOW), Err(ReleaseRefusal::NotThisDevice));
    assert!(release(&p, Some(&known), &ReleaseProof::DeviceKey(&own), NOW).is_ok());
    assert!(release(&p, Some(&known), &ReleaseProof::Authority, NOW).is_ok());
    known.device_key = None;
    assert_eq!(release(&p, Some(&known), &ReleaseProof::DeviceKey(&own), NOW), Err(ReleaseRefusal::NotThisDevice));
    assert_eq!(release(&p, None, &ReleaseProof::DeviceKey(&own), NOW), Err(ReleaseRefusal::NotActivated));
}

#[test]
fn a_foreign_file_releases_only_what_its_api_key_made_and_after_a_question() {
    let mut p = product();
    let mut known = active(1);
    known.api_key = Some("app".to_owned());
    let file = |api_key, covers_request, confirmed| ReleaseProof::LicenseSpringFile { api_key, covers_request, confirmed };
    assert_eq!(release(&p, Some(&known), &file("other", true, true), NOW), Err(ReleaseRefusal::NotThisDevice));
    assert_eq!(release(&p, Some(&known), &file("app", true, false), NOW), Err(ReleaseRefusal::ConfirmRelease));
    assert_eq!(release(&p, Some(&known), &file("app", false, true), NOW), Err(ReleaseRefusal::NotProved));
    assert!(release(&p, Some(&known), &file("app", true, true), NOW).is_ok());
    p.rules.trust_v1_deactivation = true;
    assert!(release(&p, Some(&known), &file("app", false, true), NOW).is_ok());
}

#[test]
fn releases_by_file_wait_and_are_counted() {
    let p = product();
    let own = DeviceKey("own".to_owned());
    let mut known = activation(1, ActivationState::Active { since: NOW });
    known.device_key = Some(own.clone());
    let proof = ReleaseProof::DeviceKey(&own);
    assert_eq!(release(&p, Some(&known), &proof, NOW), Err(ReleaseRefusal::HeldTooShort { until: NOW.plus_hours(24) }));
    assert!(release(&p, Some(&known), &ReleaseProof::Authority, NOW).is_ok());
    let later = NOW.plus_hours(24);
    assert!(release(&p, Some(&known), &proof, later).is_ok());
    known.offline_releases = Counted { times: 3, since: Some(NOW) };
    assert_eq!(release(&p, Some(&known), &proof, later), Err(ReleaseRefusal::ReleaseLimit { times: 3 }));
    known.state = ActivationState::Released { at: NOW, by: Actor::Customer, counted: true, replaced_by: None };
    assert_eq!(release(&p, Some(&known), &proof, later), Err(ReleaseRefusal::NotActivated));
}

#[test]
fn a_refresh_needs_the_seat_the_key_and_a_usable_license() {
    let (p, mut l) = (product(), license(1));
    let own = DeviceKey("own".to_owned());
    let mut known = active(1);
    assert_eq!(refresh(&p, &l, None, Some(&own), false, NOW).unwrap_err().code(), "not_activated");
    assert_eq!(refresh(&p, &l, Some(&known), Some(&own), false, NOW).unwrap_err().code(), "not_this_device");
    known.device_key = Some(own.clone());
    assert!(refresh(&p, &l, Some(&known), Some(&own), false, NOW).is_ok());
    assert_eq!(refresh(&p, &l, Some(&known), None, false, NOW).unwrap_err().code(), "not_this_device");
    assert_eq!(refresh(&p, &l, Some(&known), Some(&own), true, NOW).unwrap_err().code(), "device_blocked");
    l.terms.expiry = Expiry::on(NOW);
    assert_eq!(refresh(&p, &l, Some(&known), Some(&own), false, NOW).unwrap_err().code(), "license_expired");
}

#[test]
fn every_refusal_has_its_own_code() {
    let mut codes: Vec<&str> = ActivationRefusal::examples().iter().map(ActivationRefusal::code).collect();
    for refusal in ActivationRefusal::examples() {
        assert_eq!(refusal.to_string(), refusal.code());
    }
    let count = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), count);
}

/// A license with its activations, kept as the store keeps them, so that sequences of acts can be tried.
struct Shelf {
    product: Product,
    license: License,
    activations: Vec<Activation>,
}

impl Shelf {
    fn vacated(&self, except: i64) -> (Option<ActivationId>, u32) {
        let open = |a: &&Activation| {
            a.id != ActivationId(except) && matches!(a.state, ActivationState::Released { counted: true, replaced_by: None, .. })
        };
        (self.activations.iter().find(open).map(|a| a.id), self.activations.iter().filter(open).count() as u32)
    }

    fn activate(&mut self, device: i64, now: Timestamp) -> Result<Grant, ActivationRefusal> {
        let known = self.activations.iter().find(|a| a.id == ActivationId(device)).cloned();
        let (vacated, vacated_seats) = self.vacated(device);
        let facts = ActivationFacts { vacated, vacated_seats, ..facts(&self.product, &self.license, known.as_ref()) };
        let grant = activate(&facts, &online(), now)?;
        if grant.takes_seat {
            self.license.seats_taken += 1;
            let state = ActivationState::Active { since: now };
            match self.activations.iter_mut().find(|a| a.id == ActivationId(device)) {
                Some(known) => known.state = state,
                None => self.activations.push(activation(device, state)),
            }
        }
        if let Some(vacated) = grant.transfer_of {
            self.license.transfers_used += 1;
            let released = self.activations.iter_mut().find(|a| a.id == vacated).unwrap();
            if let ActivationState::Released { replaced_by, .. } = &mut released.state {
                *replaced_by = Some(ActivationId(device));
            }
        }
        Ok(grant)
    }

    fn release(&mut self, device: i64, now: Timestamp) {
        let Some(known) = self.activations.iter_mut().find(|a| a.id == ActivationId(device)) else { return };
        if let Ok(releasing) = release(&self.product, Some(known), &ReleaseProof::Authority, now) {
            known.state = known.state.clone().release(Actor::Operator, releasing.counted, now).unwrap();
            self.license.seats_taken -= 1;
        }
    }

    fn revoke(&mut self, device: i64, now: Timestamp) {
        let Some(known) = self.activations.iter_mut().find(|a| a.id == ActivationId(device)) else { return };
        self.license.seats_taken -= u32::from(known.state.holds_seat());
        known.state = known.state.clone().revoke(Actor::Operator, String::new(), now);
    }

    fn allow(&mut self, device: i64, now: Timestamp) {
        let Some(known) = self.activations.iter_mut().find(|a| a.id == ActivationId(device)) else { return };
        if let Ok(state) = known.state.clone().allow(Actor::Operator, now) {
            known.state = state;
            known.unbind();
        }
    }

    fn reset(&mut self, now: Timestamp) {
        for known in &mut self.activations {
            if let Ok(state) = known.state.clone().release(Actor::Operator, false, now) {
                known.state = state;
                known.unbind();
            }
        }
        self.license.seats_taken = 0;
    }

    fn holding(&self) -> usize {
        self.activations.iter().filter(|a| a.state.holds_seat()).count()
    }
}

#[test]
fn going_to_another_device_and_back_is_two_transfers() {
    let mut shelf = Shelf { product: product(), license: license(1), activations: vec![] };
    for device in [1, 2, 1] {
        shelf.activate(device, NOW).unwrap();
        shelf.release(device, NOW);
    }
    assert_eq!(shelf.license.transfers_used, 2);
    shelf.activate(1, NOW).unwrap();
    assert_eq!(shelf.license.transfers_used, 2, "coming back to one's own seat is none");
}

#[test]
fn taking_ones_own_seat_back_or_one_nobody_had_is_no_transfer() {
    let mut shelf = Shelf { product: product(), license: license(3), activations: vec![] };
    shelf.license.terms.transfers = TransferLimit::Forbidden;
    for device in [1, 2] {
        shelf.activate(device, NOW).unwrap();
        shelf.release(device, NOW);
    }
    shelf.activate(3, NOW).expect("the third seat was never anyone's");
    shelf.activate(2, NOW).expect("its own seat");
    assert_eq!(shelf.activate(4, NOW), Err(ActivationRefusal::TransferLimit { used: 0 }));
    shelf.activate(1, NOW).expect("its own seat");
    shelf.license.terms.seats = Limit::Unlimited;
    shelf.release(1, NOW);
    shelf.activate(4, NOW).expect("there are always more");
    assert_eq!(shelf.license.transfers_used, 0);
}

proptest! {
    #[test]
    fn no_sequence_of_acts_exceeds_the_seats(
        seats in 0_u32..4, transfers in 0_u32..5, acts in prop::collection::vec((0_u8..7, 0_i64..6, 0_u32..5), 0..80)
    ) {
        let mut shelf = Shelf { product: product(), license: license(seats), activations: vec![] };
        shelf.license.terms.transfers = TransferLimit::AtMost(transfers);
        let mut most_seats = seats;
        for (step, (act, device, number)) in acts.into_iter().enumerate() {
            let now = NOW.plus_hours(step as i64);
            match act {
                0 | 1 => {
                    let before = shelf.holding();
                    let limit = shelf.license.terms.seats;
                    let was_full = !limit.allows_one_more(before as u32);
                    let granted = shelf.activate(device, now);
                    if was_full {
                        prop_assert!(granted.map_or(true, |grant| !grant.takes_seat));
                    }
                }
                2 => shelf.release(device, now),
                3 => shelf.revoke(device, now),
                4 => shelf.allow(device, now),
                5 => shelf.reset(now),
                _ => {
                    shelf.license.terms.seats = Limit::AtMost(number);
                    most_seats = most_seats.max(number);
                }
            }
            prop_assert_eq!(shelf.holding() as u32, shelf.license.seats_taken);
            prop_assert!(shelf.license.seats_taken <= most_seats);
            prop_assert!(shelf.license.transfers_used <= transfers);
        }
    }

    #[test]
    fn activating_again_is_idempotent(seats in 1_u32..4, devices in prop::collection::vec(0_i64..6, 1..20)) {
        let mut shelf = Shelf { product: product(), license: license(seats), activations: vec![] };
        for device in devices {
            if shelf.activate(device, NOW).is_ok() {
                let before = (shelf.license.clone(), shelf.activations.clone());
                let again = shelf.activate(device, NOW.plus_hours(1)).unwrap();
                prop_assert!(!again.takes_seat && again.transfer_of.is_none());
                prop_assert_eq!((shelf.license.clone(), shelf.activations.clone()), before);
            }
        }
    }
}

#[test]
fn an_air_gapped_license_is_activated_by_codes_and_no_other_is() {
    let p = product();
    let ask = |how| ActivationAsk { how, ..online() };
    for (air_gapped, how, expected) in [
        (true, How::AirGapped, None),
        (true, How::Online, Some("air_gapped_only")),
        (true, How::Offline, Some("air_gapped_only")),
        (false, How::AirGapped, Some("not_air_gapped")),
        (false, How::Online, None),
        (false, How::Offline, None),
    ] {
        let mut l = license(1);
        l.terms.air_gapped = air_gapped;
        let ended = activate(&facts(&p, &l, None), &ask(how), NOW).err();
        assert_eq!(ended.as_ref().map(ActivationRefusal::code), expected, "{air_gapped} {how:?}");
    }
    let mut l = license(1);
    l.terms.air_gapped = true;
    assert!(can_be_activated(&facts(&p, &l, None), NOW).is_ok(), "asked as its machines would ask");
}

#[test]
fn a_code_releases_an_air_gapped_machine_when_staff_began_it() {
    let mut p = product();
    let mut known = activation(1, ActivationState::Active { since: NOW });
    let (staff, anyone) = (ReleaseProof::AirGap { by_staff: true }, ReleaseProof::AirGap { by_staff: false });
    assert_eq!(release(&p, Some(&known), &staff, NOW), Err(ReleaseRefusal::NotThisDevice), "activated online");
    known.how = How::AirGapped;
    // Staff's word counts at once, and not towards the year's releases.
    assert_eq!(release(&p, Some(&known), &staff, NOW), Ok(Releasing { counted: true, by_file: false }));
    let later = NOW.plus_hours(24);
    assert_eq!(release(&p, Some(&known), &anyone, later), Err(ReleaseRefusal::NotProved));
    assert_eq!(release(&p, Some(&known), &ReleaseProof::App, later), Err(ReleaseRefusal::NotThisDevice));
    p.rules.trust_airgap_deactivation = true;
    assert_eq!(release(&p, Some(&known), &anyone, NOW), Err(ReleaseRefusal::HeldTooShort { until: later }));
    assert_eq!(release(&p, Some(&known), &anyone, later), Ok(Releasing { counted: true, by_file: true }));
    known.device_key = Some(DeviceKey("own".to_owned()));
    assert_eq!(release(&p, Some(&known), &staff, later), Err(ReleaseRefusal::NotThisDevice));
}
