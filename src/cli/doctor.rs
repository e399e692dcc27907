//! `doctor`: whether everything is as it should be, a line each with the mend. It changes nothing.

use serde_json::json;

use super::{
    Place,
    open::now,
    outcome::{CliError, Done, sentence, shown},
};
use crate::{
    desk::Desk,
    licensing::{
        product::Product,
        seal::{Seal, SealUse},
    },
    server::config::ServeConfig,
    store::{AuditFilter, Engine, Standing},
    vault::MasterKey,
};

struct Finding {
    name: &'static str,
    ok: bool,
    message: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, name: &'static str, message: impl Into<String>) {
        self.0.push(Finding { name, ok: true, message: sentence(&message.into()) });
    }

    fn bad(&mut self, name: &'static str, message: impl Into<String>) {
        self.0.push(Finding { name, ok: false, message: sentence(&message.into()) });
    }
}

pub(super) async fn run(place: &Place) -> Result<Done, CliError> {
    let mut findings = Findings::default();
    data_dir(place, &mut findings);
    match place.look().await {
        Ok(Standing::Empty) => {
            findings.bad("database", "There is none yet. `countersign serve` makes it, or name its folder with --data-dir.");
        }
        Ok(_) => {
            master_key(place, &mut findings)?;
            installation(place, &mut findings).await?;
        }
        Err(error) => findings.bad("database", error.text()),
    }
    clock(&mut findings);
    public_url(&mut findings);

    let Findings(all) = findings;
    let checks: Vec<_> =
        all.iter().map(|finding| json!({ "name": finding.name, "ok": finding.ok, "message": finding.message })).collect();
    let failed = all.iter().find(|finding| !finding.ok);
    let mut value = json!({ "ok": failed.is_none(), "checks": checks });
    let lines: Vec<_> = all
        .iter()
        .map(|finding| format!("{}  {:10}  {}", if finding.ok { "ok  " } else { "FAIL" }, finding.name, shown(&finding.message)))
        .collect();
    let text = lines.join("\n");
    Ok(match failed {
        Some(finding) => {
            value["error"] = json!({ "code": "unwell", "message": finding.message });
            Done::new(value, text).refused()
        }
        None => Done::new(value, text),
    })
}

fn data_dir(place: &Place, findings: &mut Findings) {
    let folder = &place.data_dir;
    let shown = folder.display();
    let Ok(facts) = std::fs::metadata(folder) else {
        return findings
            .bad("data", format!("The folder {shown} is not there. Name it with --data-dir; `countersign serve` makes it."));
    };
    if !facts.is_dir() {
        return findings.bad("data", format!("{shown} is no folder. Name another with --data-dir."));
    }
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&facts.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return findings
                .bad("data", format!("Others on this machine can look into {shown} (mode {mode:03o}): chmod 700 {shown}"));
        }
    }
    if facts.permissions().readonly() {
        return findings.bad("data", format!("{shown} cannot be written to: chmod u+w {shown}"));
    }
    findings.good("data", format!("{shown} is there, and private."));
}

fn master_key(place: &Place, findings: &mut Findings) -> Result<(), CliError> {
    match MasterKey::load(&place.config()?.master) {
        Ok(key) => findings.good("master key", format!("It is in {}. Keep a copy apart from the database.", key.origin())),
        Err(error) => findings.bad("master key", error.to_string()),
    }
    Ok(())
}

async fn installation(place: &Place, findings: &mut Findings) -> Result<(), CliError> {
    let desk = match place.open_as_it_is().await {
        Ok(desk) => desk,
        Err(error) => {
            findings.bad("database", error.text());
            return Ok(());
        }
    };
    let mut conn = desk.store().read().await?;
    let schema = conn.schema().await?;
    let engine = conn.engine();
    if engine == Engine::Sqlite && conn.pragma("journal_mode").await? != "wal" {
        findings.bad("database", "SQLite does not keep a write-ahead log here: move the data to a local disk.");
    } else {
        findings.good("database", format!("{} answers; its schema is up to date (migration {schema}).", engine.name()));
    }
    drop(conn);

    let (seals, products) = (desk.seals().await?, desk.products().await?);
    let without = products.iter().find(|product| {
        !seals.iter().any(|seal| seal.signs() && seal.purpose == SealUse::License && seal.product_id() == Some(product.id))
    });
    // A ring that is missing whole is made by the next start; one that lost its signing key is not.
    let mend = |some: bool| if some { "restore the database from a backup." } else { "`countersign serve` makes one." };
    let of = |product: &Product| {
        let id = product.id;
        move |seal: &Seal| seal.purpose == SealUse::License && seal.product_id() == Some(id)
    };
    let licensespring = seals.iter().any(|seal| seal.signs() && seal.purpose == SealUse::LicenseSpring);
    match without {
        Some(product) => {
            findings.bad("keys", format!("No key signs files of {}: {}", product.code, mend(seals.iter().any(of(product)))));
        }
        None if !licensespring => {
            let some = seals.iter().any(|seal| seal.purpose == SealUse::LicenseSpring);
            findings.bad("keys", format!("No key signs for LicenseSpring's clients: {}", mend(some)));
        }
        None => findings.good(
            "keys",
            format!("Each of {} products has its signing key, and LicenseSpring's clients theirs.", products.len()),
        ),
    }

    let latest = desk.audit(&crate::desk::Visitor::Operator, &AuditFilter { limit: 1, ..AuditFilter::default() }).await?;
    if let Some(entry) = latest.rows.first().filter(|entry| entry.at > now().plus_hours(1)) {
        let at = entry.at.to_rfc3339();
        findings.bad("clock", format!("The last act on record is from {at}, which is yet to come: set this machine's clock."));
    }
    if desk.checkpoint_is_late().await? {
        findings.bad(
            "audit log",
            "It was not sealed by a checkpoint for two days. A running portal does it once a day: start it, or look into its log for \
             why it does not.",
        );
    } else {
        findings.good("audit log", "Its checkpoints are made, or none is due. `audit verify` checks it whole.");
    }
    mail(&desk, findings).await?;
    if desk.has_staff().await? {
        findings.good("staff", "There is someone who can sign in.");
    } else {
        findings.bad("staff", "Nobody can sign in: countersign user add YOU@EXAMPLE.COM --role owner, the password on stdin.");
    }
    Ok(())
}

async fn mail(desk: &Desk, findings: &mut Findings) -> Result<(), CliError> {
    let settings = desk.settings();
    match (desk.try_mail().await?, Desk::mail_sender(&settings)) {
        (None, _) => findings.good(
            "mail",
            "No mail server is set: staff reads on the vendor’s site, under Mail, what would be sent. `setting set smtpServer` names one.",
        ),
        (Some(Err(error)), _) => findings.bad(
            "mail",
            format!("{error} See the settings smtpServer, smtpSecurity, smtpUser and smtpPassword."),
        ),
        (Some(Ok(host)), None) => {
            findings.bad("mail", format!("{host} answers, and mail has no sender: setting set mailFrom licenses@example.com"));
        }
        (Some(Ok(host)), Some(from)) => findings.good("mail", format!("{host} answers; mail comes from {from}.")),
    }
    Ok(())
}

fn clock(findings: &mut Findings) {
    let today = now().date();
    if now().seconds() < 1_767_225_600 {
        findings.bad("clock", format!("This machine says it is {today}: set its clock."));
    } else {
        findings.good("clock", format!("This machine says it is {today} (UTC)."));
    }
}

fn public_url(findings: &mut Findings) {
    let named = std::env::var("COUNTERSIGN_PUBLIC_URL").ok().filter(|url| !url.is_empty());
    let Some(url) = named else {
        return findings
            .good("public URL", "Not set: the address the server listens on is used. Set COUNTERSIGN_PUBLIC_URL for customers.");
    };
    let local = std::net::SocketAddr::from(([127, 0, 0, 1], 3000));
    match ServeConfig::new(local, Some(&url), None) {
        Err(error) => findings.bad("public URL", error.to_string()),
        Ok(config) if config.is_https() => findings.good("public URL", format!("{url} is encrypted on its way.")),
        Ok(config) if config.is_own_machine() => {
            findings.good("public URL", format!("{url} is this machine alone."));
        }
        Ok(_) => findings.bad(
            "public URL",
            format!("{url} is not encrypted: browsers drop the sign-in cookie and cannot check signatures. Put TLS in front and name https://…"),
        ),
    }
}
