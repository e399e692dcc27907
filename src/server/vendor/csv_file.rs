//! Lists as CSV (RFC 4180). A cell that a spreadsheet would take for a formula is kept as text.

use axum::response::Response;

use crate::server::page::download;

/// Makes the file; every cell is made harmless.
pub fn respond(name: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> Response {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let wrote = writer
        .write_record(head)
        .and_then(|()| rows.into_iter().try_for_each(|row| writer.write_record(row.iter().map(|cell| harmless(cell)))));
    match wrote.map_err(|error| error.to_string()).and_then(|()| writer.into_inner().map_err(|error| error.to_string())) {
        Ok(bytes) => download(name, "text/csv; charset=utf-8", bytes),
        Err(error) => {
            tracing::error!(error, "A list could not be exported.");
            axum::response::IntoResponse::into_response(axum::http::StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// Spreadsheets run what begins like a formula; an apostrophe makes it text.
pub fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_cell_cannot_be_a_formula() {
        for (cell, kept) in
            [("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1", "'+1"), ("-1", "'-1"), ("@x", "'@x"), ("plain", "plain")]
        {
            assert_eq!(harmless(cell), kept);
        }
    }
}
