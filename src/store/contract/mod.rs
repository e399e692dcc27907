//! The contract: what the store promises, on SQLite and on PostgreSQL alike. Every test is written once and listed once, and the
//! list makes it `store::contract::sqlite::<name>` and `store::contract::postgres::<name>`. PostgreSQL comes from
//! `COUNTERSIGN_TEST_POSTGRES_URL`, a superuser's URL; each test makes a database of its own and drops it. Without it those tests
//! fail: a contract held on one engine is not held.

mod bench;
mod samples;

macro_rules! contract {
    ($($area:ident: $($name:ident),+ $(,)?;)+) => {
        $(mod $area;)+

        mod sqlite {
            $($(
                #[test]
                fn $name() {
                    super::bench::run(crate::store::Engine::Sqlite, super::$area::$name);
                }
            )+)+
        }

        mod postgres {
            $($(
                #[test]
                fn $name() {
                    super::bench::run(crate::store::Engine::Postgres, super::$area::$name);
                }
            )+)+
        }

        const NAMES: &[&str] = &[$($(stringify!($name)),+),+];
    };
}

contract! {
    opening:
        opening_again_keeps_what_is_there,
        looking_changes_nothing,
        two_processes_that_start_together_both_open,
        a_database_of_a_newer_program_is_refused,
        a_migration_that_was_edited_is_refused,
        both_engines_have_the_same_tables_columns_and_indexes,
        odd_folder_names_are_no_obstacle;
    writer:
        an_answered_write_is_seen_by_readers,
        an_act_that_fails_takes_back_only_itself,
        an_act_that_panics_does_not_end_the_writer,
        an_act_that_goes_on_after_an_error_saves_nothing_it_did_not_do,
        a_gathered_row_that_is_refused_fails_only_its_own_act,
        gathered_rows_of_any_number_are_written_in_order,
        a_caller_who_goes_away_leaves_no_transaction_open,
        a_failed_act_leaves_no_transaction_open,
        closing_finishes_what_was_accepted,
        a_closed_store_says_so,
        a_reader_who_goes_away_leaves_a_usable_connection,
        two_processes_write_side_by_side,
        readers_of_a_file_cannot_write,
        the_log_is_copied_back_beside_the_writer,
        the_writing_connection_waits_for_the_disk,
        acts_in_each_others_way_are_run_again,
        sixty_four_devices_race_for_five_seats,
        one_device_asking_many_times_at_once_takes_one_seat;
    catalogue:
        a_product_comes_back_as_it_was_saved,
        a_products_code_and_number_are_its_own,
        products_are_listed_by_name_as_people_sort,
        versions_are_listed_newest_first,
        features_and_policies_belong_to_their_product,
        a_signing_key_comes_back_in_every_state,
        a_key_that_can_never_sign_again_loses_its_secret,
        what_a_key_has_promised_is_only_raised,
        a_ring_has_one_active_key_and_one_on_standby;
    licenses:
        a_license_comes_back_as_it_was_saved,
        a_license_is_saved_in_each_state,
        taking_a_seat_is_no_edit,
        a_key_is_unique_within_its_product,
        imported_ids_are_not_given_again,
        an_activation_comes_back_in_each_state,
        an_initialization_code_comes_back_as_it_was_given_out_and_used,
        a_slot_is_had_until_its_end_and_by_nobody_without_a_seat,
        the_facts_about_a_device_are_all_that_a_decision_needs,
        seats_are_listed_with_those_who_hold_them_first,
        when_machines_called_last_is_written_together_and_never_goes_back,
        a_row_that_this_program_did_not_write_is_named;
    people:
        a_customer_is_one_for_every_spelling_of_the_address,
        an_order_is_found_by_its_reference,
        named_users_belong_to_a_license,
        staff_are_found_by_address_and_id,
        a_session_lasts_until_its_end_and_not_for_the_disabled,
        an_api_key_is_kept_and_revoked_once;
    records:
        an_answer_is_remembered_and_replaced_whole,
        a_nul_is_in_no_text_that_is_kept,
        a_refusal_is_found_under_its_reference,
        an_untouched_audit_log_holds,
        an_audit_entry_comes_back_as_it_was_written,
        a_changed_audit_entry_is_found,
        an_audit_entry_moved_to_another_subject_is_found,
        a_removed_audit_entry_is_found_wherever_it_was,
        a_removed_audit_head_is_found,
        acts_about_one_subject_form_one_chain,
        a_result_page_is_there_until_its_end,
        a_form_sent_twice_ends_in_its_first_result,
        tries_are_counted_within_their_window,
        sweeping_forgets_what_nobody_can_read_any_more,
        a_change_of_settings_or_keys_is_noticed,
        a_lease_has_one_holder_at_a_time;
    lists:
        a_search_finds_licenses_by_what_people_know_of_them,
        wildcards_in_a_search_stand_for_themselves,
        a_row_of_the_license_list_shows_what_it_should,
        licenses_are_filtered_by_state_as_of_now,
        every_sort_pages_without_gap_or_double,
        what_a_visitor_puts_into_a_page_key_is_harmless,
        orders_are_listed_newest_first,
        refusals_are_listed_newest_first,
        the_audit_log_is_listed_newest_first,
        lists_newest_first_are_turned_both_ways,
        the_subjects_of_audit_entries_have_names,
        a_device_that_was_renamed_is_found_by_its_new_name;
}

/// What the test program itself lists must be the contract, once for each engine, and nothing beside it.
#[test]
fn both_engines_are_held_to_the_same_list() {
    let program = std::env::current_exe().expect("a test knows its program");
    let listed = std::process::Command::new(program).args(["--list", "--format", "terse"]).output().expect("it lists its tests");
    let listed = String::from_utf8(listed.stdout).expect("names are text");
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    for engine in ["sqlite", "postgres"] {
        let prefix = format!("store::contract::{engine}::");
        let mut found: Vec<&str> =
            listed.lines().filter_map(|line| line.strip_suffix(": test").and_then(|name| name.strip_prefix(&prefix))).collect();
        found.sort_unstable();
        assert_eq!(found, names, "{engine}");
    }
}
