//! Multipart bodies: a few named texts and some files, each held to its size. The body itself was held to its own before.

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request},
};

/// A file as it was sent.
pub struct Sent {
    /// Its name, made safe to show and to save under.
    pub name: String,
    pub bytes: Vec<u8>,
}

#[derive(Default)]
pub struct Upload {
    pub files: Vec<Sent>,
    pub fields: Vec<(String, String)>,
}

impl Upload {
    /// Reads a multipart body; `None` for anything else, or one that is cut off.
    pub async fn read(request: Request<Body>) -> Option<Self> {
        let mut multipart = Multipart::from_request(request, &()).await.ok()?;
        let mut upload = Self::default();
        loop {
            let field = match multipart.next_field().await {
                Ok(Some(field)) => field,
                Ok(None) => return Some(upload),
                Err(_) => return None,
            };
            let name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(str::to_owned);
            let bytes = field.bytes().await.ok()?;
            match file_name {
                // A file field nobody chose a file for.
                Some(file_name) if file_name.is_empty() && bytes.is_empty() => {}
                Some(file_name) => upload.files.push(Sent { name: safe_name(&file_name), bytes: bytes.to_vec() }),
                None => upload.fields.push((name, String::from_utf8_lossy(&bytes).into_owned())),
            }
        }
    }

    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// The last part of a path, without what a page, a header or a file system could trip over.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ' | '(' | ')') { c } else { '-' })
        .take(100)
        .collect();
    let kept = kept.trim_matches(['.', ' ']).to_owned();
    if kept.is_empty() { "request".to_owned() } else { kept }
}

/// A request's name for its answer: `activate.req` becomes `activate.lic`.
pub fn answer_name(sent_as: &str, extension: &str) -> String {
    let stem = sent_as.rsplit_once('.').map_or(sent_as, |(stem, _)| stem);
    format!("{stem}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder_or_its_header() {
        for (name, safe) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\activate.req", "activate.req"),
            ("a\"; filename=\"b.exe", "a-- filename--b.exe"),
            ("<img src=x>.req", "-img src-x-.req"),
            ("\u{202e}qer.exe", "-qer.exe"),
            ("...", "request"),
            ("", "request"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert_eq!(answer_name("ls_activation.req", "lic"), "ls_activation.lic");
        assert_eq!(answer_name("plain", "lic"), "plain.lic");
    }
}
