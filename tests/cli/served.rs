//! A running server: how it starts, how it stops, and what is done beside it.

use std::{
    io::Write as _,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::{
    serving::{Served, status},
    support::Portal,
};

#[cfg(unix)]
#[test]
fn the_first_start_makes_a_folder_that_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let portal = Portal::empty();
    let served = Served::on(&portal);
    let mode = |name: &str| std::fs::metadata(portal.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/countersign.db"), mode("data/master.key")), (0o700, 0o600, 0o600));
    served.stop();
    let checks = portal.run(&["doctor", "--json"]).value()["checks"].clone();
    let data = checks.as_array().unwrap().iter().find(|check| check["name"] == "data").unwrap().clone();
    assert_eq!(data["ok"], true, "{data}");
}

#[test]
fn a_request_begun_before_the_stop_gets_its_whole_answer() {
    let portal = Portal::new();
    let key = portal.issue(&["--seats", "2"]);
    let served = Served::on(&portal);
    let (head, body) = served.form(&key, "pc-slow");
    let (first, rest) = body.split_at(body.len() / 2);
    let mut slow = served.connect();
    slow.write_all(format!("{head}{first}").as_bytes()).unwrap();
    // The server has to know of it, or it is none that was begun.
    thread::sleep(Duration::from_millis(500));
    served.ask_to_stop();
    let until = Instant::now() + Duration::from_secs(5);
    while TcpStream::connect(served.addr).is_ok() {
        assert!(Instant::now() < until, "it still takes new connections");
        thread::sleep(Duration::from_millis(20));
    }
    slow.write_all(rest.as_bytes()).unwrap();
    assert_eq!(status(&mut slow), Some(303));
    assert_eq!(served.ended(), Some(0));
    assert_eq!(portal.done(&["license", "show", &key])["seats_taken"], 1);
}
