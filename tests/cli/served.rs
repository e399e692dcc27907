//! A running server: how it starts, how it stops, and what is done beside it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::support::Portal;

/// Ends with the test, whatever becomes of it.
pub struct Served {
    child: Child,
    pub addr: SocketAddr,
}

impl Served {
    pub fn on(portal: &Portal) -> Self {
        let arguments = ["serve", "--addr", "127.0.0.1:0", "--trusted-proxies", "127.0.0.1"];
        let mut command = portal.command(&arguments);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.by_ref().map_while(Result::ok).find(|line| line.starts_with("Countersign is ready on"));
        let ready = ready.expect("the server starts");
        // What it says later must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { child, addr: ready.rsplit("http://").next().unwrap().trim().parse().unwrap() }
    }

    pub fn ask_to_stop(&self) {
        let asked = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
    }

    /// Its exit code, once it has ended.
    pub fn ended(mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub fn stop(self) {
        self.ask_to_stop();
        assert_eq!(self.ended(), Some(0));
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect_timeout(&self.addr, Duration::from_secs(5)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// A whole activation form: its head, and its body.
    pub fn form(&self, key: &str, device: &str) -> (String, String) {
        let body = format!("key={key}&device_id={device}");
        let head = format!(
            "POST /activate HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
            self.addr,
            body.len()
        );
        (head, body)
    }

    /// The status of the answer to an activation form; none where the server went away.
    pub fn activate(&self, key: &str, device: &str) -> Option<u16> {
        let (head, body) = self.form(key, device);
        let mut stream = TcpStream::connect_timeout(&self.addr, Duration::from_secs(5)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        stream.write_all(format!("{head}{body}").as_bytes()).ok()?;
        status(&mut stream)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status of a whole answer.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    assert!(answer.is_empty() || answer.contains("\r\n\r\n"), "half an answer: {answer}");
    answer.split(' ').nth(1)?.parse().ok()
}

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
