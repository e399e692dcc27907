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
        readers_of_a_file_cannot_write,
        the_writing_connection_waits_for_the_disk,
        acts_in_each_others_way_are_run_again,
        sixty_four_devices_race_for_five_seats,
        one_device_asking_many_times_at_once_takes_one_seat;
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
