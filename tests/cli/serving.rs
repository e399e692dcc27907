//! A running server of a test's own.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Stdio},
    thread,
    time::Duration,
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
pub fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    assert!(answer.is_empty() || answer.contains("\r\n\r\n"), "half an answer: {answer}");
    answer.split(' ').nth(1)?.parse().ok()
}
