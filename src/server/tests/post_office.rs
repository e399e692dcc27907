//! A mail server for tests: it takes what it is given, or refuses it as it was told to.

use std::sync::{Arc, Mutex};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// A letter as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: String,
    pub headers: String,
    pub text: String,
}

#[derive(Clone, Default)]
pub struct PostOffice {
    letters: Arc<Mutex<Vec<Received>>>,
    /// What recipients are answered instead.
    refusal: Arc<Mutex<Option<&'static str>>>,
}

impl PostOffice {
    /// Opens, and tells its port.
    pub async fn open() -> (Self, u16) {
        let office = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = office.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let office = serving.clone();
                tokio::spawn(async move { office.serve(stream).await });
            }
        });
        (office, port)
    }

    pub fn refuse(&self, answer: Option<&'static str>) {
        *self.refusal.lock().unwrap() = answer;
    }

    pub fn letters(&self) -> Vec<Received> {
        self.letters.lock().unwrap().clone()
    }

    async fn serve(&self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut to = String::new();
        let _ = write.write_all(b"220 post office\r\n").await;
        while let Ok(Some(line)) = lines.next_line().await {
            let upper = line.to_ascii_uppercase();
            let answer = match upper.split([' ', ':']).next().unwrap_or_default() {
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    self.refusal.lock().unwrap().unwrap_or("250 ok")
                }
                "DATA" => {
                    let _ = write.write_all(b"354 go on\r\n").await;
                    let mut text = String::new();
                    while let Ok(Some(line)) = lines.next_line().await {
                        if line == "." {
                            break;
                        }
                        // A dot at the begin of a line was doubled (RFC 5321, 4.5.2).
                        text.push_str(line.strip_prefix('.').unwrap_or(&line));
                        text.push('\n');
                    }
                    let (headers, body) = text.split_once("\n\n").unwrap_or((&text, ""));
                    // Quoted-printable, as far as these letters need it.
                    let body = body.replace("=\n", "").replace("=3D", "=");
                    let letter = Received { to: to.clone(), headers: headers.to_owned(), text: body };
                    self.letters.lock().unwrap().push(letter);
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            if write.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}
