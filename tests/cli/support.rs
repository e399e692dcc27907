//! An installation of a test's own, and what came out of the binary.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use serde_json::Value;
use tempfile::TempDir;

pub const OWNER: &str = "owner@vendor.example";
pub const PASSWORD: &str = "correct horse battery";

pub struct Portal {
    pub dir: TempDir,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The one JSON value on stdout.
    #[track_caller]
    pub fn value(&self) -> Value {
        let mut values = serde_json::Deserializer::from_str(&self.out).into_iter::<Value>();
        let value = values.next().and_then(Result::ok);
        assert!(value.is_some() && values.next().is_none(), "not one JSON value: {:?}\n{}", self.out, self.err);
        value.unwrap()
    }
}

impl Portal {
    /// With an owner and the product `press-4`, copied from one made once: making keys takes time.
    pub fn new() -> Self {
        static TEMPLATE: OnceLock<TempDir> = OnceLock::new();
        let template = TEMPLATE.get_or_init(|| {
            let portal = Self::empty();
            portal.done_with(&["user", "add", OWNER, "--role", "owner"], PASSWORD);
            portal.done(&["product", "add", "press-4", "--name", "Press Designer 4", "--number", "4", "--min-hold-hours", "0"]);
            portal.dir
        });
        let portal = Self::empty();
        copy(&template.path().join("data"), &portal.data());
        portal
    }

    /// Without anything.
    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The SQLite database, for looking behind the program's back.
    pub fn database(&self) -> String {
        format!("sqlite:{}", self.path("data/countersign.db").display())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("COUNTERSIGN_") || name == "DATABASE_URL" || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        command.env("COUNTERSIGN_DATA_DIR", self.data()).env("COUNTERSIGN_RSA_BITS", "2048");
        command.args(arguments).current_dir(self.dir.path());
        command
    }

    /// As typed, with this on stdin.
    pub fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        run(self.command(arguments), stdin)
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, "")
    }

    /// The JSON of a command that must succeed.
    #[track_caller]
    pub fn done_with(&self, arguments: &[&str], stdin: &str) -> Value {
        let ran = self.run_with(&[arguments, &["--json"]].concat(), stdin);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
        ran.value()
    }

    #[track_caller]
    pub fn done(&self, arguments: &[&str]) -> Value {
        self.done_with(arguments, "")
    }

    /// The code of a command that must be refused: exit 1, and an error with a sentence.
    #[track_caller]
    pub fn refused_with(&self, arguments: &[&str], stdin: &str) -> String {
        let ran = self.run_with(&[arguments, &["--json"]].concat(), stdin);
        assert_eq!(ran.code, 1, "{arguments:?}: {}{}", ran.out, ran.err);
        let error = ran.value()["error"].clone();
        let message = error["message"].as_str().unwrap_or_default();
        assert!(message.ends_with('.') && message.len() > 10, "{error}");
        error["code"].as_str().expect("a refusal has a code").to_owned()
    }

    #[track_caller]
    pub fn refused(&self, arguments: &[&str]) -> String {
        self.refused_with(arguments, "")
    }

    /// A command that must be bad usage: exit 2.
    #[track_caller]
    pub fn misused(&self, arguments: &[&str]) -> String {
        let ran = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, 2, "{arguments:?}: {}{}", ran.out, ran.err);
        let error = ran.value()["error"].clone();
        assert_eq!(error["code"], "bad_usage");
        error["message"].as_str().unwrap().to_owned()
    }

    /// Issues one license of `press-4` and returns its key.
    #[track_caller]
    pub fn issue(&self, options: &[&str]) -> String {
        let issued = self.done(&[&["license", "issue", "--product", "press-4"], options].concat());
        issued["licenses"][0]["key"].as_str().unwrap().to_owned()
    }

    /// A request of `press-4` in the file `{device}-{act}.req`.
    #[track_caller]
    pub fn request(&self, key: &str, device: &str, act: &str) -> String {
        let file = format!("{device}-{act}.req");
        let device_key = format!("{device}.key");
        self.done(&[
            "request",
            "--product",
            "press-4",
            "--key",
            key,
            "--device-id",
            device,
            "--act",
            act,
            "--device-key",
            &device_key,
            "-o",
            &file,
        ]);
        file
    }

    /// Puts a machine on a license by file.
    #[track_caller]
    pub fn activate(&self, key: &str, device: &str) {
        let file = self.request(key, device, "activate");
        assert_eq!(self.done(&["answer", &file])["kind"], "license");
    }
}

pub fn run(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that reads nothing has closed its end.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// The URL of a new, empty PostgreSQL database. Needs the server that `script/postgres` starts: a command that is tried on one
/// engine is not tried.
pub fn postgres() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("COUNTERSIGN_TEST_POSTGRES_URL");
    let url = url.expect("COUNTERSIGN_TEST_POSTGRES_URL is not set: script/postgres cargo test …");
    let name = format!("cli_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let made = Command::new("psql").args([&url, "-qc", &format!("create database {name}")]).status().unwrap();
    assert!(made.success());
    format!("{}/{name}", url.rsplit_once('/').unwrap().0)
}

/// Runs statements behind the program's back, and returns the first column of what the last one finds, as text.
pub fn sql(url: &str, statements: &[&str]) -> Vec<String> {
    use sqlx::{AssertSqlSafe, Connection as _};
    sqlx::any::install_default_drivers();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let mut conn = sqlx::AnyConnection::connect(url).await.unwrap();
        let mut found = Vec::new();
        for statement in statements {
            let query = sqlx::query_scalar::<_, String>(AssertSqlSafe((*statement).to_owned()));
            found = query.fetch_all(&mut conn).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
        conn.close().await.unwrap();
        found
    })
}

pub fn samples(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(folder)
}
